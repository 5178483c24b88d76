package executors

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tasker-systems/tasker-worker/executors/internal/process"
)

// commands stands for the steps with a command where languages are named.
const commands = "command"

// users are who the processes of each language run as. What is missing runs as the worker.
type users map[Language]*process.User

// of is the user of a language, nil for the worker's own.
func (u users) of(l Language) *process.User { return u[l] }

// anyOther says whether anything runs as another user.
func (u users) anyOther() bool { return len(u) > 0 }

// findUsers reads [Config].User.
func findUsers(setting string) (users, error) {
	found := make(users)
	if !strings.Contains(setting, "=") {
		u, err := findUser(setting)
		if u == nil || err != nil {
			return found, err
		}
		for _, l := range []Language{Ruby, Python, Node, commands} {
			found[l] = u
		}
		return found, nil
	}
	var faults []error
	for pair := range strings.SplitSeq(setting, ",") {
		name, user, _ := strings.Cut(strings.TrimSpace(pair), "=")
		faults = append(faults, found.add(Language(strings.TrimSpace(name)), strings.TrimSpace(user)))
	}
	return found, errors.Join(faults...)
}

// add reads the user of one language.
func (u users) add(l Language, user string) error {
	switch l {
	case Ruby, Python, Node, commands:
	default:
		return fmt.Errorf("User names %q, which is none of %s, %s, %s and %s", l, Ruby, Python, Node, commands)
	}
	if _, twice := u[l]; twice || user == "" {
		return fmt.Errorf("User has to name one user for %s", l)
	}
	found, err := findUser(user)
	u[l] = found // also where it cannot be, so that a language named twice is always said
	return err
}

// warnIfNotSeparated warns when handler processes can access each other.
func (s *Supervisor) warnIfNotSeparated() {
	if process.Separates() || s.users.separated() {
		return
	}
	s.config.Logger.Warn("handlers of one language can get at the processes of another, as this system has no Landlock: " +
		"run the worker as root with a user for each language in TASKER_HANDLER_USER")
}

// separated says whether no two languages share a user.
func (u users) separated() bool {
	seen := make(map[uint32]bool)
	for _, l := range []Language{Ruby, Python, Node, commands} {
		who := u.of(l)
		if who == nil || seen[who.UID] {
			return false
		}
		seen[who.UID] = true
	}
	return true
}
