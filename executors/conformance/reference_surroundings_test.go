package conformance

import (
	"os"
	"os/signal"
	"syscall"
)

// What all steps of the reference host share.

// refPollute asks for a new process; the reference host puts nothing back.
func refPollute(s *refStep) (any, error) {
	if !s.host.is("pollution") {
		s.host.send(object{"method": "executor.status", "params": object{"state": "recycle_me", "reason": "a step changed what all share"}})
	}
	syscall.Umask(0o777)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGWINCH)
	if err := os.Chdir("/"); err != nil {
		return nil, err
	}
	return nil, os.Setenv("POLLUTED", "1")
}

func refSurroundings(*refStep) (any, error) {
	umask := syscall.Umask(0)
	syscall.Umask(umask)
	folder, err := os.Getwd()
	return object{"folder": folder, "umask": umask, "polluted": os.Getenv("POLLUTED")}, err
}
