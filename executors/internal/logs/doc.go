// Package logs turns what handler processes print into log records. It always reads on, whatever is printed: a process
// whose output is not read stands still. What goes beyond its bounds is counted and dropped.
package logs
