package main

import (
	"github.com/spf13/cobra"
)

// commands lists the constructors of all commands.
var commands = []func() *cobra.Command{
	newDemo,
	newServe,
	newSim,
	newConfig,
	newDoctor,
	newTeams,
	newAlert,
	newKey,
	newIncident,
	newTenant,
	newOnCall,
	newAutomatic,
	newLane,
	newWebhook,
	newReport,
	newAudit,
	newHealth,
}

func newRoot() *cobra.Command {
	root := group("responsehub", "Ends Microsoft 365 account takeovers, from a card in Teams or from here")
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().StringP("output", "o", "table", "how answers are printed: table or json")
	root.PersistentFlags().Bool("json", false, "short for -o json")
	for _, c := range commands {
		root.AddCommand(c())
	}
	markFailures(root)
	return root
}

// group is a command that only holds others.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs, RunE: func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return wrongUsage("there is no command %q", c.CommandPath()+" "+args[0])
		}
		return wrongUsage("say which command")
	}}
	c.AddCommand(children...)
	return c
}
