//go:build !linux

package main

// setNonDumpable does nothing: only Linux shows a process to others of the same user in /proc.
func setNonDumpable() {}

// overwriteEnviron does nothing, for the same reason.
func overwriteEnviron() {}
