package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
)

// payloadFile says which file in the scratch folder holds what is too large for a line.
type payloadFile struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func payloadRules() []rule {
	return []rule{
		{name: "E8 with payload files a large result goes by file, and its hash is right", check: writesResultFiles},
		{name: "E9 params that come by file are read", check: readsParamsFiles},
		{name: "E12 a step that is put off says for how long, with its checkpoint", check: defers},
	}
}

// startWithFiles starts a host that is offered payload files, or skips.
func startWithFiles(t T, lang language) *peer {
	t.Helper()
	p := startHost(t, lang)
	params := initialization(lang.root(t), nil)
	params["capabilities"] = object{"callbacks": []string{}, "payload_files": true}
	if !p.initialize(params).Capabilities.PayloadFiles {
		t.Skipf("the host does not declare the capability payload_files")
	}
	return p
}

func writesResultFiles(t T, lang language) {
	p := startWithFiles(t, lang)
	scratch, size := t.TempDir(), 2<<20
	params := execution("large", "Fixtures::Returns", object{}, object{"what": "large", "bytes": size})
	params["scratch_dir"] = scratch
	got := decode[outcome](t, p.call("step.execute", params))
	if got.Outcome != "success" || got.ResultFile == nil {
		t.Fatalf("want a success with result_file, got %s: %+v", got.Outcome, got.Failure)
	}
	if filepath.Base(got.ResultFile.Path) != got.ResultFile.Path || strings.HasPrefix(got.ResultFile.Path, ".") {
		t.Fatalf("result_file.path %q is not the name of a file in the scratch folder", got.ResultFile.Path)
	}
	content, err := os.ReadFile(filepath.Join(scratch, got.ResultFile.Path))
	if err != nil {
		t.Fatal(err)
	}
	if want := `"` + strings.Repeat("x", size) + `"`; string(content) != want {
		t.Errorf("the file has %d bytes that are not the result", len(content))
	}
	if got.ResultFile.Bytes != int64(len(content)) || got.ResultFile.SHA256 != digest(content) {
		t.Errorf("result_file %+v, the file has %d bytes and hash %s", *got.ResultFile, len(content), digest(content))
	}
}

func readsParamsFiles(t T, lang language) {
	p := startWithFiles(t, lang)
	scratch, value := t.TempDir(), strings.Repeat("y", 100_000)
	params := execution("by-file", "Fixtures::Echo", object{"value": value}, nil)
	params["scratch_dir"] = scratch
	content := []byte(strings.TrimSpace(line(t, params)))
	if err := os.WriteFile(filepath.Join(scratch, "params.json"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	file := payloadFile{Path: "params.json", Bytes: int64(len(content)), SHA256: digest(content)}
	answer := p.call("step.execute", object{"execution_id": "by-file", "scratch_dir": scratch, "params_file": file})
	if got := success(t, decode[outcome](t, answer)); got != `"`+value+`"` {
		t.Errorf("the value came back as %.100s", got)
	}
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func defers(t T, lang language) {
	p := startReady(t, lang, nil)
	got := p.execute("Defer", object{}, object{"seconds": 5})
	if got.Outcome != "deferred" || got.ResumeAfterMS == nil || *got.ResumeAfterMS != 5000 {
		t.Errorf("want deferred by 5000 ms, got %+v", got)
	}
	if string(got.Checkpoint) != `{"page":3}` {
		t.Errorf("checkpoint %s, want {\"page\":3}", got.Checkpoint)
	}
	if !p.ready.Capabilities.Deferred {
		t.Error("the host puts steps off without declaring the capability deferred")
	}
}
