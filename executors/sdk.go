package executors

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// SDK is what handlers of a language import, and what their unit tests run them with.
type SDK struct {
	Language Language
	// Path is the folder in which the language has to look.
	Path string
	// Variable is the environment variable that says so.
	Variable string
}

// UnpackSDKs writes the SDKs into a folder below cache that is named for their content, so that each version of the worker
// has its own. What is there already is left alone, what was changed or removed is restored.
func UnpackSDKs(cache string) ([]SDK, error) {
	sum := sha256.New()
	err := eachHostFile(func(name string, content []byte) error {
		fmt.Fprintf(sum, "%s %d\n", name, len(content))
		sum.Write(content)
		return nil
	})
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "sdk-"+hex.EncodeToString(sum.Sum(nil)[:6]))
	err = eachHostFile(func(name string, content []byte) error {
		return keepFile(filepath.Join(dir, filepath.FromSlash(name)), content)
	})
	if err != nil {
		return nil, fmt.Errorf("unpacking the SDKs: %w", err)
	}
	var sdks []SDK
	for _, r := range runtimes() {
		folder := filepath.Join(dir, string(r.language), "tasker_host", "sdk")
		sdks = append(sdks, SDK{Language: r.language, Path: folder, Variable: r.importVariable})
	}
	return sdks, nil
}

// keepFile gives a file its content, unless it has it. It appears whole: another process may be reading or writing it too.
func keepFile(path string, content []byte) error {
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // fails after the rename
	_, err = temp.Write(content)
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
