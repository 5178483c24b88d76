package conformance

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"
)

func (r *reference) initialize(id any, params json.RawMessage) {
	var p struct {
		Versions     []int          `json:"protocol_versions"`
		Limits       map[string]int `json:"limits"`
		Timing       map[string]int `json:"timing"`
		Capabilities struct {
			Callbacks []string `json:"callbacks"`
		} `json:"capabilities"`
	}
	_ = json.Unmarshal(params, &p)
	one := false
	for _, v := range p.Versions {
		one = one || v == 1
	}
	switch {
	case r.ready && !r.is("initialize twice"):
		r.refuse(id, -32600, "initialized already", nil)
		return
	case !one:
		r.refuse(id, -32002, "unsupported_protocol_version", object{"supported": []int{1}})
		return
	}
	for name, n := range p.Limits {
		if n < 0 || r.is("refuses unknown members") && name == "max_wishes" {
			r.refuse(id, -32602, name+" must be positive", nil)
			return
		}
	}
	r.mu.Lock()
	r.ready, r.limits, r.offered = true, p.Limits, p.Capabilities.Callbacks
	r.limits["shutdown_grace_ms"] = p.Timing["shutdown_grace_ms"]
	r.mu.Unlock()
	handlers := []object{}
	if !strings.HasSuffix(rootOf(params), "absent") || r.is("serves without a root") {
		for _, f := range Fixtures() {
			if r.handlers[f.Name] != nil {
				handlers = append(handlers, object{"name": "Fixtures::" + f.Name, "file": "reference", "exclusive": f.Name == "Exclusive" && !r.is("not exclusive")})
			}
		}
	}
	most := p.Limits["max_concurrency"]
	if r.is("takes too many") {
		most++
	}
	pid := os.Getpid()
	if r.is("wrong pid") {
		pid++
	}
	r.send(object{"id": id, "result": object{
		"protocol_version": 1, "handlers": handlers, "handlers_complete": true, "load_errors": []object{},
		"executor": object{"language": "reference", "language_version": runtime.Version(), "sdk": "reference", "sdk_version": "1", "pid": pid},
		"capabilities": object{
			"max_concurrency": most, "cancel": "cooperative", "step_heartbeats": true, "structured_logs": true,
			"payload_files": true, "deferred": true, "reload": false,
		},
	}})
}

func rootOf(params json.RawMessage) string {
	var p struct {
		Config struct {
			Root string `json:"handler_root"`
		} `json:"config"`
	}
	_ = json.Unmarshal(params, &p)
	return p.Config.Root
}
