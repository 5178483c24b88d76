//go:build !linux

package main

// closeProcess does nothing: only Linux shows a process to others of the same user in /proc.
func closeProcess() {}

// overwriteEnviron does nothing, for the same reason.
func overwriteEnviron() {}
