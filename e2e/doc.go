// Package e2e tests the whole system from outside: the built program, a real PostgreSQL, real Ruby, Python and Node
// handlers, and real faults.
//
// The same cases run on two stages: here, with the program on this machine and the test server's PostgreSQL, and in
// containers, with the image that the Dockerfile builds, wherever a Docker engine answers.
//
//	go test ./e2e                      both stages
//	go test ./e2e -run Local           without containers
//	go test ./e2e -run TestShapes -v   the table of graphs, languages and failures
package e2e
