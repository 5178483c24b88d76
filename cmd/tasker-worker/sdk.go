package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/tasker-systems/tasker-worker/executors"
)

type sdkCommand struct {
	Path sdkPath `cmd:"" help:"Print the folder from which a language imports the SDK."`
	Env  sdkEnv  `cmd:"" help:"Print the shell's lines that make the SDKs importable."`
}

type sdkPath struct {
	Language string `arg:"" enum:"ruby,python,node" help:"The language: ${enum}."`
}

// Help implements kong's extension.
func (sdkPath) Help() string {
	return `What handlers import is part of this program; it is unpacked into the user's cache folder. For unit tests of handlers:

    ruby -I"$(tasker-worker sdk path ruby)" executors/ruby/shop/_charge_test.rb
    PYTHONPATH="$(tasker-worker sdk path python)":executors/python python3 -m unittest shop._charge_test
    NODE_PATH="$(tasker-worker sdk path node)" node --test executors/node/shop`
}

// Run prints the folder.
func (cmd sdkPath) Run(s streams) error {
	sdks, err := unpackSDKs()
	if err != nil {
		return err
	}
	for _, sdk := range sdks {
		if string(sdk.Language) == cmd.Language {
			_, err = fmt.Fprintln(s.out, sdk.Path)
		}
	}
	return err
}

type sdkEnv struct{}

// Help implements kong's extension.
func (sdkEnv) Help() string {
	return `For a shell or a CI job that runs unit tests of handlers. Python also gets TASKER_EXECUTORS_DIR/python, from which its
handlers are imported.

    eval "$(tasker-worker sdk env)"`
}

// Run prints the lines.
func (sdkEnv) Run(s streams) error {
	c, err := loadConfig()
	if err != nil {
		return err
	}
	sdks, err := unpackSDKs()
	if err != nil {
		return err
	}
	for _, sdk := range sdks {
		folders := sdk.Path
		if sdk.Language == executors.Python {
			handlers, err := filepath.Abs(filepath.Join(c.ExecutorsDir, string(sdk.Language)))
			if err != nil {
				return setupError{err}
			}
			folders += string(filepath.ListSeparator) + handlers
		}
		if _, err := fmt.Fprintln(s.out, exportLine(sdk.Variable, folders)); err != nil {
			return err
		}
	}
	return nil
}

// exportLine puts folders before those that a variable has.
func exportLine(variable, folders string) string {
	return fmt.Sprintf(`export %[1]s=%[2]s"${%[1]s:+:$%[1]s}"`, variable, quoteArgument(folders))
}

// unpackSDKs makes sure that the SDKs are in the user's cache folder: another one could be written to by others.
func unpackSDKs() ([]executors.SDK, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, setupError{fmt.Errorf("the SDKs need a cache folder: %w (set XDG_CACHE_HOME to a folder of your own)", err)}
	}
	sdks, err := executors.UnpackSDKs(filepath.Join(cache, "tasker-worker"))
	if err != nil {
		return nil, setupError{err}
	}
	return sdks, nil
}
