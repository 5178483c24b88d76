//go:build !linux

package main

// hideFromChildren does nothing: only Linux shows a process to others of the same user in /proc.
func hideFromChildren() {}
