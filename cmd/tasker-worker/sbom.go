package main

import (
	_ "embed"
	"runtime/debug"
	"strings"
)

// licenses are the modules that are linked into the program, with their licenses and the texts of these.
//
//go:embed licenses/licenses.txt
var licenses string //nolint:gochecknoglobals // embedded

// sbom is a bill of materials in the form of CycloneDX 1.5.
type sbom struct {
	Format      string          `json:"bomFormat"`
	SpecVersion string          `json:"specVersion"`
	Version     int             `json:"version"`
	Metadata    sbomMetadata    `json:"metadata"`
	Components  []sbomComponent `json:"components"`
}

type sbomMetadata struct {
	Component sbomComponent `json:"component"`
}

type sbomComponent struct {
	Type       string         `json:"type"`
	Ref        string         `json:"bom-ref"`
	Name       string         `json:"name"`
	Version    string         `json:"version"`
	PackageURL string         `json:"purl"`
	Licenses   []sbomLicense  `json:"licenses,omitempty"`
	Properties []sbomProperty `json:"properties,omitempty"`
}

type sbomLicense struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

type sbomProperty struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// newSBOM says what the program is made of, from what the linker wrote into it, as `go version -m` does.
func newSBOM(build *debug.BuildInfo) sbom {
	known := licenseTable(licenses)
	bill := sbom{Format: "CycloneDX", SpecVersion: "1.5", Version: 1}
	bill.Metadata.Component = newComponent("application", build.Main.Path, version, "MIT")
	std := strings.TrimPrefix(build.GoVersion, "go")
	bill.Components = append(bill.Components, newComponent("library", "std", std, known["std"]))
	for _, module := range build.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		component := newComponent("library", module.Path, module.Version, known[module.Path])
		if module.Sum != "" {
			component.Properties = []sbomProperty{{"go:sum", module.Sum}}
		}
		bill.Components = append(bill.Components, component)
	}
	return bill
}

func newComponent(kind, path, version, license string) sbomComponent {
	url := "pkg:golang/" + path + "@" + version
	component := sbomComponent{Type: kind, Ref: url, Name: path, Version: version, PackageURL: url}
	if license != "" {
		var l sbomLicense
		l.License.ID = license
		component.Licenses = []sbomLicense{l}
	}
	return component
}

// licenseTable reads the list at the head of the licenses: module, version and license, until the first empty line.
func licenseTable(text string) map[string]string {
	table := make(map[string]string)
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			break
		}
		if len(fields) == 3 {
			table[fields[0]] = fields[2]
		}
	}
	return table
}
