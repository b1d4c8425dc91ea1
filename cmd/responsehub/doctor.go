package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/app"
	"responsehub/config"
)

func newDoctor() *cobra.Command {
	var file string
	var trial app.Trial
	c := &cobra.Command{
		Use: "doctor --config FILE", Short: "Try a configuration out: what is missing and how to mend it; exit 1 if anything needed is", Args: cobra.NoArgs,
		Long: "Tries a configuration out without running a hub: Redis, the bot in Teams and its channels, the sources, and\nin each tenant the permissions, roles and services that the steps need. Outside the hub it sets up the\nevents of ticket systems where they are missing or were switched off, unless --read-only is given, and nothing else but the cards of --test-card, the tickets of --test-ticket, the mail of --test-mail and the call of\n--test-phone; what it finds of the tenants is kept, so that a running hub shows it. Exit 1 when something needed is missing.",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, _, err := config.Load(file)
			if err != nil {
				return err
			}
			d, err := app.Doctor(c.Context(), cfg, app.Options{Version: version()}, trial)
			if err != nil {
				return err
			}
			if err := show(c, d, func(w io.Writer) {
				row(w, "The hub")
				drawChecks(w, d.Hub)
				for _, t := range d.Tenants {
					row(w, t.Tenant.Name)
					drawChecks(w, t.Checks)
				}
				if d.Missing == 0 {
					row(w, "Ready. "+count(d.Warnings, "remark")+".")
				}
			}); err != nil {
				return err
			}
			if d.Missing > 0 {
				return &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("%s: not ready, %s found something missing that is needed.", file, count(d.Missing, "check"))}
			}
			return nil
		},
	}
	configFlag(c, &file)
	c.Flags().StringVar(&trial.Tenant, "tenant", "", "look only at this tenant, by name or id; empty: at all")
	c.Flags().StringVar(&trial.TestMail, "test-mail", "", "send a mail that says it is a test to this address")
	c.Flags().StringVar(&trial.TestPhone, "test-phone", "", "text and call this person, by name or id, as a test; the running hub has to hear the 4")
	c.Flags().BoolVar(&trial.TestTicket, "test-ticket", false, "make a ticket that says it is a test in each PSA, note and close it")
	c.Flags().BoolVar(&trial.LookOnly, "read-only", false, "only look: set up no events of ticket systems either")
	c.Flags().BoolVar(&trial.TestCard, "test-card", false, "post a card that says it is a test in each Teams channel, and change it to say that the test passed")
	return c
}
