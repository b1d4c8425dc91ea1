package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"responsehub"
)

// failure is an error of a command that was used rightly; any other error that cobra
// returns is wrong usage.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// usage is wrong usage that only the command itself can see.
type usage struct{ error }

func wrongUsage(format string, args ...any) error { return usage{fmt.Errorf(format, args...)} }

// markFailures wraps every command, so that exitCode can tell the two apart.
func markFailures(c *cobra.Command) {
	if inner := c.RunE; inner != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			if _, err := format(c); err != nil {
				return err
			}
			if err := inner(c, args); err != nil {
				return failure{err}
			}
			return nil
		}
	}
	for _, child := range c.Commands() {
		markFailures(child)
	}
}

// exitCode prints the sentence of a command's error and returns the process's exit code.
func exitCode(stderr io.Writer, c *cobra.Command, err error) int {
	if err == nil {
		return 0
	}
	_, failed := errors.AsType[failure](err)
	_, wrong := errors.AsType[usage](err)
	if failed && !wrong {
		fmt.Fprintln(stderr, c.Root().Name()+": "+sentence(err))
		return 1
	}
	fmt.Fprintf(stderr, "%s: %s\nUsage: %s\nSee '%s --help'.\n", c.Root().Name(), clean(err.Error()), c.UseLine(), c.CommandPath())
	return 2
}

// sentence is the one line that a person reads: the hub's own words where there are any.
func sentence(err error) string {
	if errors.Is(err, context.Canceled) {
		return "Stopped."
	}
	e, ok := errors.AsType[*responsehub.Error](err)
	switch {
	case ok && e.Err == nil:
		return clean(e.Message)
	case ok && err.Error() == e.Error() && strings.HasSuffix(e.Message, e.Err.Error()): // said already
		return clean(e.Message)
	case ok && err.Error() == e.Error():
		return clean(e.Message + " (" + strings.ReplaceAll(e.Err.Error(), "\n", "; ") + ")")
	}
	return clean(strings.ReplaceAll(err.Error(), "\n", "; "))
}
