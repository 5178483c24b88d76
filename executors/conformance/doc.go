// Package conformance holds the real handler hosts to the executor protocol. Its tests start each host as the worker
// would, with raw pipes on descriptors 3 and 4, and know nothing of the worker's own side of the protocol.
//
// The tests are one table of rules over the three languages. The fixture handlers have the same names in all of them
// (testdata/ruby, testdata/python, testdata/node), so that a rule is written once. A language whose runtime is not
// installed is skipped by name.
//
// A new rule comes with a host that fails it: a way to break the reference host (breakages), or a line to change in a real
// one (patches).
package conformance
