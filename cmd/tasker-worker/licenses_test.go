package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// linkedModule is a module of which a package is linked into the program.
type linkedModule struct{ path, version, dir string }

// linkedModules are those of the program as it is built for the image, Go's own library first.
func linkedModules(t *testing.T) []linkedModule {
	t.Helper()
	modules := []linkedModule{{"std", strings.TrimSpace(goTool(t, "env", "GOVERSION")), strings.TrimSpace(goTool(t, "env", "GOROOT"))}}
	list := goTool(t, "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}", ".")
	for line := range strings.Lines(list) {
		if fields := strings.Fields(line); len(fields) == 3 {
			if m := (linkedModule{fields[0], fields[1], fields[2]}); !slices.Contains(modules, m) {
				modules = append(modules, m)
			}
		}
	}
	slices.SortFunc(modules[1:], func(a, b linkedModule) int { return strings.Compare(a.path, b.path) })
	return modules
}

func goTool(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return string(out)
}

// licenseSigns are words that only the text of a license has. Others than these are looked at by a person first.
var licenseSigns = []struct{ id, sign string }{ //nolint:gochecknoglobals // a table
	{"Apache-2.0", "Apache License Version 2.0"},
	{"MPL-2.0", "Mozilla Public License Version 2.0"},
	{"BSD-3-Clause", "Neither the name of"},
	{"BSD-2-Clause", "Redistributions in binary form must reproduce"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose"},
	{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
}

// licenseOf finds the text of a module's license, and which it is.
func licenseOf(t *testing.T, m linkedModule) (id, text string) {
	t.Helper()
	for _, name := range []string{"LICENSE", "LICENSE.md", "LICENSE.txt", "COPYING", "LICENCE"} {
		content, err := os.ReadFile(filepath.Join(m.dir, name))
		if err != nil {
			continue
		}
		words := strings.Join(strings.Fields(string(content)), " ")
		for _, l := range licenseSigns {
			if strings.Contains(strings.ToLower(words), strings.ToLower(l.sign)) {
				return l.id, string(content)
			}
		}
	}
	t.Errorf("module %s in %s has no license that is known: read it, and name its sign in licenseSigns", m.path, m.dir)
	return "", ""
}

const licensesFile = "licenses/licenses.txt"

// TestLicensesAreCurrent makes the list of the linked modules with the texts of their licenses.
func TestLicensesAreCurrent(t *testing.T) {
	t.Parallel()
	var list, texts strings.Builder
	for _, m := range linkedModules(t) {
		id, text := licenseOf(t, m)
		version := m.version
		if m.path == "std" {
			version = "-" // that of the compiler
		}
		fmt.Fprintf(&list, "%s %s %s\n", m.path, version, id)
		fmt.Fprintf(&texts, "\n==== %s\n\n%s\n", m.path, strings.TrimSpace(strings.ReplaceAll(text, "\r", "")))
	}
	made := list.String() + texts.String()
	if *update {
		if err := os.WriteFile(licensesFile, []byte(made), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(licenses, made); diff != "" {
		t.Errorf("%s is not that of the linked modules; run go test ./cmd/tasker-worker -run TestLicensesAreCurrent -update (-want +got):\n%s", licensesFile, diff)
	}
}

// TestBillOfMaterialsIsComplete builds the program and asks it what it is made of.
func TestBillOfMaterialsIsComplete(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "tasker-worker")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), program, "version", "--sbom").Output()
	if err != nil {
		t.Fatal(err)
	}
	var bill sbom
	if err := json.Unmarshal(out, &bill); err != nil {
		t.Fatal(err)
	}
	if of := bill.Metadata.Component; bill.Format != "CycloneDX" || of.PackageURL != "pkg:golang/github.com/tasker-systems/tasker-worker@dev" {
		t.Errorf("it is a %s of %s", bill.Format, of.PackageURL)
	}
	listed := make(map[string]string)
	for _, c := range bill.Components {
		listed[c.Name] = c.Version
		if len(c.Licenses) != 1 {
			t.Errorf("%s has the licenses %v", c.Name, c.Licenses)
		}
	}
	want := make(map[string]string)
	for _, m := range linkedModules(t) {
		want[m.path] = strings.TrimPrefix(m.version, "go")
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
}
