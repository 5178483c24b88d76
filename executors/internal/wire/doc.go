// Package wire is the protocol between the worker and a handler process as bytes: JSON-RPC 2.0, one object per line.
// It reads bounded lines, writes requests and understands answers. It owns no goroutine and no file.
//
// Both directions have a cheap path, because a line carries a task's whole context and results. Requests are put
// together by hand around the raw JSON from the database, and a success as the hosts spell it is cut out of its line by
// its prefix. Everything else goes through encoding/json.
package wire
