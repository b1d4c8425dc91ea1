package config

import "fmt"

// Fault is one thing that is wrong in the file.
type Fault struct {
	File    string // as it was named
	Line    int    // 0: not in the file, but in the environment or the file as a whole
	Path    string // such as tenants[2].notify.phone.sequence[0]
	Message string // what is wrong and what to do; never a secret
	Warning bool   // the hub can start with it
}

// Error returns the fault as compilers write theirs: file:line: path: message.
func (f Fault) Error() string {
	s := f.File
	if f.Line > 0 {
		s += fmt.Sprintf(":%d", f.Line)
	}
	if f.Path != "" {
		s += ": " + f.Path
	}
	if f.Warning {
		s += ": warning"
	}
	return s + ": " + f.Message
}
