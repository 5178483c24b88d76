package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// program is the built tasker-worker, and repository the folder of this module.
var program, repository string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "tasker-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := 1
	if err := build(folder); err != nil {
		fmt.Fprintln(os.Stderr, "building the program:", err)
	} else {
		code = m.Run()
	}
	os.RemoveAll(folder)
	os.Exit(sqltest.Stop(code))
}

func build(folder string) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	repository = filepath.Dir(here)
	program = filepath.Join(folder, "tasker-worker")
	out, err := exec.Command("go", "build", "-o", program, "github.com/tasker-systems/tasker-worker/cmd/tasker-worker").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}
