package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/bot/manifest"
	"responsehub/config"
)

func newTeams() *cobra.Command {
	return group("teams", "The bot in Teams: the package that installs it", newTeamsPackage())
}

// packed is what was made, for people and for programs.
type packed struct {
	File     string `json:"file"`
	BotID    string `json:"bot_id"`
	TenantID string `json:"tenant_id"`
	Endpoint string `json:"endpoint"`
	Bytes    int    `json:"bytes"`
}

func newTeamsPackage() *cobra.Command {
	var file, out string
	var app manifest.App
	c := &cobra.Command{
		Use: "package --config FILE", Short: "Make the zip to upload to Teams, from the configuration", Args: cobra.NoArgs,
		Long: "Makes the app package of the bot from the configuration: a manifest with the bot's id, the hub's address\nand the commands, and two icons. The same configuration gives the same bytes. Upload it in the Teams admin\ncenter; raise --app-version when an uploaded app is to be replaced.",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, _, err := config.Load(file)
			if err != nil {
				return err
			}
			if cfg.Teams == nil {
				return &responsehub.Error{Kind: responsehub.Invalid, Message: file + ": the section teams is missing. Register the bot first, then fill it in."}
			}
			app.BotID, app.PublicURL = cfg.Teams.AppID, cfg.Server.PublicURL
			zip, err := app.Zip()
			if err != nil {
				return &responsehub.Error{Kind: responsehub.Invalid, Message: fmt.Sprintf("%s: %s.", file, strings.ReplaceAll(err.Error(), "\n", "; "))}
			}
			// It holds nothing secret, and whoever uploads it may be somebody else.
			if err := os.WriteFile(out, zip, 0o644); err != nil { // #nosec G306 -- see above
				return fmt.Errorf("write the package: %w", err)
			}
			p := packed{File: out, BotID: app.BotID, TenantID: cfg.Teams.TenantID, Endpoint: strings.TrimRight(app.PublicURL, "/") + "/api/messages", Bytes: len(zip)}
			return show(c, p, func(w io.Writer) { drawPackage(w, p) })
		},
	}
	configFlag(c, &file)
	c.Flags().StringVar(&out, "out", "responsehub-teams.zip", "where the package is written")
	c.Flags().StringVar(&app.Name, "name", "", "name of the app in Teams, at most 30 characters; empty: responsehub")
	c.Flags().StringVar(&app.Developer, "developer", "", "who runs it, at most 32 characters; empty: the name")
	c.Flags().StringVar(&app.Version, "app-version", "", "version of the package, three numbers; empty: 1.0.0")
	return c
}

// drawPackage says what is left to do with the package.
func drawPackage(w io.Writer, p packed) {
	row(w, p.File+" is made.")
	if !strings.HasPrefix(p.Endpoint, "https://") {
		row(w, "server.public_url is not an https address: Microsoft's Teams will not call it.")
	}
	row(w, "")
	for i, text := range []string{
		"Azure portal, Azure Bot: type Single Tenant, app id " + p.BotID + ", tenant " + p.TenantID + ".",
		"Its messaging endpoint: " + p.Endpoint + ". Its channel: Microsoft Teams.",
		"Teams admin center, Manage apps, Upload: " + p.File + ". Allow the app for your people.",
		"Teams: add the app to each team whose channels are to get cards.",
		"responsehub doctor says which channels it reached; --test-card posts a card in each.",
	} {
		row(w, fmt.Sprintf("%d. %s", i+1, text))
	}
}
