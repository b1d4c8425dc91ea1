package main

import (
	"context"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"responsehub/api"
)

// lettersAtOnce is how many messages are asked for at once, the most that the hub gives.
const lettersAtOnce = "1000"

func newIncidentLetters() *cobra.Command {
	return &cobra.Command{
		Use: "letters ID|REF", Short: "The messages that step 2 found: mailbox, folder in which each lay, what became of it", Args: cobra.ExactArgs(1),
		Long: "Lists every message that step 2 found, of however many mailboxes, in no particular order: its mailbox, the\nfolder in which it lay before (Microsoft's id of it, to which undo moves it back), and what became of it.",
		RunE: func(c *cobra.Command, args []string) error {
			hub, err := slowClient()
			if err != nil {
				return err
			}
			list, err := letters(c.Context(), hub, args[0])
			if err != nil {
				return err
			}
			return show(c, list, func(w io.Writer) {
				row(w, "MAILBOX", "STATE", "MOVED BY THE HUB", "FOLDER BEFORE", "SUBJECT", "WHY")
				for _, l := range list.Items {
					moved := "no"
					if l.Moved {
						moved = "yes"
					}
					row(w, l.Address, string(l.State), moved, l.Folder, l.Subject, l.Why)
				}
			})
		},
	}
}

// letters reads all pages. While the retraction is at work a message may come twice: the
// newest word on it counts.
func letters(ctx context.Context, hub *client, incident string) (api.List[api.Letter], error) {
	all := api.List[api.Letter]{Items: []api.Letter{}}
	at := map[string]int{}
	for cursor := ""; ; {
		q := url.Values{"limit": {lettersAtOnce}}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		var page api.List[api.Letter]
		if err := hub.do(ctx, "GET", path("v1", "incidents", incident, "letters")+"?"+q.Encode(), nil, &page); err != nil {
			return all, err
		}
		for _, l := range page.Items {
			key := l.Mailbox + "|" + l.ID
			if i, seen := at[key]; seen {
				all.Items[i] = l
				continue
			}
			at[key] = len(all.Items)
			all.Items = append(all.Items, l)
		}
		if page.Next == "" || page.Next == cursor {
			return all, nil
		}
		cursor = page.Next
	}
}
