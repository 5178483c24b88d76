package main

import (
	"fmt"
	"runtime/debug"
)

// version is set at link time by releases.
var version = "dev" //nolint:gochecknoglobals // the linker needs a variable

type versionCommand struct {
	JSON     bool `help:"Print JSON."                                                               name:"json"`
	Licenses bool `help:"Print the linked modules with their licenses."`
	SBOM     bool `help:"Print a bill of materials: what is linked into this program (CycloneDX)." name:"sbom"`
}

// versionInfo is what `tasker-worker version --json` prints.
type versionInfo struct {
	Version string `json:"version"`
	// Revision is the commit, empty where the build does not know it.
	Revision string `json:"revision"`
	Go       string `json:"go"`
}

// Run prints the version.
func (cmd versionCommand) Run(s streams) error {
	switch build, ok := debug.ReadBuildInfo(); {
	case cmd.Licenses:
		_, err := fmt.Fprint(s.out, licenses)
		return err
	case cmd.SBOM && ok:
		return printJSON(s.out, newSBOM(build))
	}
	info := versionInfo{Version: version}
	if build, ok := debug.ReadBuildInfo(); ok {
		info.Go, info.Revision = build.GoVersion, revision(build.Settings)
	}
	if cmd.JSON {
		return printJSON(s.out, info)
	}
	_, err := fmt.Fprintln(s.out, "tasker-worker", info.Version)
	return err
}

func revision(settings []debug.BuildSetting) string {
	for _, setting := range settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return ""
}
