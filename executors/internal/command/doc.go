// Package command runs any executable once for one attempt: the step as JSON on its standard input, its result from a file
// or from the last line of its standard output, its verdict from its exit status. No shell is involved.
package command
