package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/config"
)

func newConfig() *cobra.Command {
	return group("config", "The configuration file: check it, see an example, its JSON Schema", newConfigCheck(), newConfigExample(), newConfigSchema())
}

func newConfigCheck() *cobra.Command {
	var file string
	c := &cobra.Command{Use: "check --config FILE", Short: "Name every fault with its line", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		_, faults, err := config.Load(file)
		if err != nil && faults == nil {
			return err
		}
		bad := 0
		for _, f := range faults {
			if !f.Warning {
				bad++
			}
		}
		shown := faults
		if shown == nil {
			shown = []config.Fault{}
		}
		if err := show(c, shown, func(w io.Writer) {
			for _, f := range faults {
				row(w, f.Error())
			}
			if bad == 0 {
				row(w, file+": can be used.")
			}
		}); err != nil {
			return err
		}
		if bad > 0 {
			return &responsehub.Error{Kind: responsehub.Invalid, Message: fmt.Sprintf("%s cannot be used: %s.", file, count(bad, "fault"))}
		}
		return nil
	}}
	configFlag(c, &file)
	return c
}

func newConfigExample() *cobra.Command {
	return &cobra.Command{Use: "example", Short: "A commented example", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		_, err := io.WriteString(c.OutOrStdout(), config.Example())
		return err
	}}
}

func newConfigSchema() *cobra.Command {
	return &cobra.Command{Use: "schema", Short: "The JSON Schema, for editors", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		_, err := c.OutOrStdout().Write(config.Schema())
		return err
	}}
}

// configFlag adds the --config flag, without which the command cannot run.
func configFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "config", "", "the configuration file")
	if err := c.MarkFlagRequired("config"); err != nil {
		panic(err) // only for a flag that does not exist
	}
}

func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
