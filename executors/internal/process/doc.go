// Package process starts handler processes and makes sure that they end. It knows process groups, file descriptors and
// signals; it knows nothing of the protocol spoken over the descriptors.
//
// A process gets /dev/null as fd 0, log pipes as fds 1 and 2, requests on fd 3 and gives its responses on fd 4. It leads
// a session and process group of its own, so that a terminal's Ctrl-C does not reach it and a kill reaches its children. On Linux it
// dies when the worker dies, however the worker dies; it starts with no way to gain privileges and a umask of 077; and what
// it leaves behind is found and killed, also what has left its group.
package process
