package main

import (
	"fmt"
	"os"
	"strings"
)

// readDatabaseURL reads the URL from its file, where one is named.
func readDatabaseURL(c *config) []configFault {
	const name = "DATABASE_URL_FILE"
	if c.DatabaseURLFile == "" {
		return nil
	}
	if c.DatabaseURL != "" {
		return []configFault{{name, name + " and DATABASE_URL are both set; unset one of them"}}
	}
	content, err := os.ReadFile(c.DatabaseURLFile)
	if err != nil {
		return []configFault{{name, fmt.Sprintf("%s: %v", name, err)}}
	}
	c.DatabaseURL = strings.TrimSpace(string(content))
	if c.DatabaseURL == "" {
		return []configFault{{name, fmt.Sprintf("%s %s is empty; it holds a URL such as postgres://user:password@host:5432/app", name, c.DatabaseURLFile)}}
	}
	return nil
}
