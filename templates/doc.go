// Package templates knows the YAML in which people write workflows: it loads a folder of it, says exactly what is wrong
// and where, and describes a template's graph. It knows no database, no queue and no process.
//
// A template that the Rails engine loads is loaded here with the same keys, defaults and environment overrides. What
// the engine finds out only when a task runs, such as a dependency on a step that does not exist or a cycle, is an
// error here. All faults of all files are reported at once:
//
//	set, err := templates.LoadDir("templates", templates.Options{Environment: "production"})
//	// orders.yaml:12:22: step "ship" depends on "pak", which is no step (did you mean "pack"?)
//
// # Rules
//
// A key that the engine knows but that changes nothing is accepted. An unknown key is a [Set] warning, because
// the engine allows any; when it is a slip of the pen away from a known key it is an error. Files are bounded in size,
// nesting and expansion of aliases, so that a template from a stranger costs little time and memory.
package templates
