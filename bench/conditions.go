package bench

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// conditions are the settings that affect the cost of a commit.
var conditions = slices.Sorted(maps.Keys(Settings))

// Conditions describes the environment of a measurement.
type Conditions struct {
	// Machine is the day and the machine, Server the version of PostgreSQL and its settings.
	Machine, Server string
}

// String returns both lines.
func (c Conditions) String() string { return c.Machine + "\n" + c.Server }

// Conditions returns the date, the machine and the server of the measurement.
func (s *Server) Conditions(ctx context.Context) Conditions {
	var settings []string
	for _, name := range conditions {
		var value string
		if s.admin.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value) == nil {
			settings = append(settings, name+" "+value)
		}
	}
	return Conditions{
		Machine: time.Now().UTC().Format(time.DateOnly) + ", " + machine(),
		Server:  fmt.Sprintf("PostgreSQL %s: %s, rest default", s.Version, strings.Join(settings, ", ")),
	}
}

// machine describes the machine.
func machine() string {
	m := fmt.Sprintf("%d processors", runtime.NumCPU())
	if model := fileField("/proc/cpuinfo", "model name"); model != "" {
		m = fmt.Sprintf("%d x %s", runtime.NumCPU(), model)
	}
	var kilobytes int
	if _, err := fmt.Sscan(fileField("/proc/meminfo", "MemTotal"), &kilobytes); err == nil {
		m += fmt.Sprintf(", %d GiB", kilobytes>>20)
	}
	return m + ", " + runtime.GOOS + ", " + runtime.Version()
}

// fileField is the first value of a field in a file with lines "field: value", or empty.
func fileField(path, field string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), ":")
		if ok && strings.TrimSpace(name) == field {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
