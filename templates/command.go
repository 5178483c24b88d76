package templates

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
)

// CommandPrefix begins the handler's name of every step with a command, such as command:import.
const CommandPrefix = "command:"

// checkHandlerNamed reports a step that names neither a handler nor a command.
func (r *diagnostics) checkHandlerNamed(step *node, path string) {
	config := step.get("handler_config")
	if step.get("handler_class") != nil || config != nil && config.get("command") != nil {
		return
	}
	if config != nil {
		for _, e := range config.entries {
			if _, near := nearKey(e.key, []string{"command"}); near {
				r.fault(e.at(path+".handler_config."+e.key), `did you mean "command"?`,
					"step%s has no handler_class, and %q in handler_config is no command", quoted(step.str("name", "")), e.key)
				return
			}
		}
	}
	r.fault(step.at(path+".handler_class"), "", "step%s lacks the required key %q", quoted(step.str("name", "")), "handler_class")
}

// buildCommand reads handler_config.command, and names the handler after it.
func (r *diagnostics) buildCommand(s *Step, n *node, path string) {
	config := n.get("handler_config")
	if config == nil {
		return
	}
	list := config.get("command")
	if list == nil {
		return
	}
	if list.kind != kindSequence && n.get("handler_class") != nil {
		r.warn(list.at(path+".handler_config.command"), "", "command is no list, so the step runs its handler_class")
		return
	}
	if !r.checkCommand(list, path+".handler_config.command") {
		return
	}
	for _, item := range list.items {
		s.Command = append(s.Command, item.text)
	}
	s.Handler = commandHandler(s.Command[0])
	s.HandlerLine, s.HandlerColumn = list.line, list.column
}

// checkCommand says whether the list is a program and its arguments.
func (r *diagnostics) checkCommand(list *node, path string) bool {
	const example = `for example command: ["bin/import", "--fast"]`
	if list.kind != kindSequence || len(list.items) == 0 {
		r.fault(list.at(path), example, "%s must be a list of the program and its arguments; no shell reads it", path)
		return false
	}
	for i, item := range list.items {
		if !r.want(item, index(path, i), kindString, "a string") {
			return false
		}
		if strings.ContainsRune(item.text, 0) {
			r.fault(item.at(index(path, i)), "", "%s holds a NUL character", index(path, i))
			return false
		}
	}
	program := list.items[0]
	switch {
	case strings.TrimSpace(program.text) == "":
		r.fault(program.at(index(path, 0)), example, "%s names no program", index(path, 0))
		return false
	case slices.Contains(strings.Split(program.text, "/"), ".."):
		r.fault(program.at(index(path, 0)), "name it relative to the executors folder, or absolutely", "%s leaves its folder with ..", index(path, 0))
		return false
	}
	return true
}

// command reads the command of a handler's configuration, nil when there is none.
func command(config json.RawMessage) []string {
	var keys struct {
		Command []string `json:"command"`
	}
	if json.Unmarshal(config, &keys) != nil || len(keys.Command) == 0 {
		return nil
	}
	return keys.Command
}

// commandHandler names a step's handler after the program's file.
func commandHandler(program string) string {
	name := strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, filepath.Base(program))
	return CommandPrefix + string([]rune(name)[:min(len([]rune(name)), handlerMax-len(CommandPrefix))])
}
