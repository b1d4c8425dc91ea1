package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/config"
	"responsehub/intake"
)

func newAlert() *cobra.Command {
	return group("alert", "Send a signed test alert, try a mapping", newAlertSend(), newAlertMap())
}

// accepted is the hub's answer to an alert.
type accepted struct {
	Incident string `json:"incident"`
	Ref      string `json:"ref"`
	State    string `json:"state"`
}

func newAlertSend() *cobra.Command {
	var to, secret, file, id string
	c := &cobra.Command{
		Use: "send --to URL --secret S --file FILE", Short: "Sign an alert and post it", Args: cobra.NoArgs,
		Long: "Signs an alert and posts it as a detector would (https://www.standardwebhooks.com).\n\nOthers on this machine can see arguments; RESPONSEHUB_ALERT_SECRET in the environment does instead of --secret.",
		RunE: func(c *cobra.Command, _ []string) error {
			if secret == "" {
				secret = os.Getenv("RESPONSEHUB_ALERT_SECRET")
			}
			body, err := readFile(c, file)
			if err != nil {
				return err
			}
			if id == "" {
				id = "msg_" + uuid.NewString()
			}
			header, err := intake.Sign(responsehub.Secret(secret), id, time.Now(), body)
			if err != nil {
				return err
			}
			var a accepted
			known, err := post(c, to, header, body, &a)
			if err != nil {
				return err
			}
			return show(c, a, func(w io.Writer) {
				if known {
					row(w, a.Ref+" is "+a.State+"; the hub had this alert already.")
					return
				}
				row(w, a.Ref+" is "+a.State+".")
			})
		},
	}
	c.Flags().StringVar(&to, "to", "", "where the hub takes the source's alerts: https://hub.example.com/v1/alerts/NAME")
	c.Flags().StringVar(&secret, "secret", "", "the source's secret, whsec_...")
	c.Flags().StringVar(&file, "file", "", "the alert; - is standard input")
	c.Flags().StringVar(&id, "id", "", "webhook-id; the same one again is a retry. Empty: a new one")
	for _, f := range []string{"to", "file"} {
		if err := c.MarkFlagRequired(f); err != nil {
			panic(err) // only for a flag that does not exist
		}
	}
	return c
}

// post sends the alert; known says that the hub had it before.
func post(c *cobra.Command, to string, header http.Header, body []byte, out *accepted) (known bool, err error) {
	req, err := http.NewRequestWithContext(c.Context(), http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return false, wrongUsage("--to: %v", err)
	}
	req.Header = header
	res, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		if c.Context().Err() != nil {
			return false, c.Context().Err()
		}
		return false, &responsehub.Error{Kind: responsehub.Unavailable, Message: fmt.Sprintf("The hub at %s cannot be reached. Is it running, and is --to right?", req.URL.Host), Err: err}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return false, err
	}
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusAccepted {
		err := refusal(res, b)
		if err.Kind == responsehub.Unauthorized {
			err.Message += " --secret has to be one of the source's secrets in the hub's configuration."
		}
		return false, err
	}
	return res.StatusCode == http.StatusOK, json.Unmarshal(b, out)
}

func newAlertMap() *cobra.Command {
	var file, source, sample string
	c := &cobra.Command{Use: "map --config FILE --source NAME --file SAMPLE", Short: "Show the alert that a source's mapping makes of a sample", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		in, err := mapping(file, source)
		if err != nil {
			return err
		}
		b, err := readFile(c, sample)
		if err != nil {
			return err
		}
		alert, err := in.Map(source, b)
		if err != nil {
			return err
		}
		enc := json.NewEncoder(c.OutOrStdout())
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(alert)
	}}
	configFlag(c, &file)
	c.Flags().StringVar(&source, "source", "", "name of the source")
	c.Flags().StringVar(&sample, "file", "", "what the source sends; - is standard input")
	for _, f := range []string{"source", "file"} {
		if err := c.MarkFlagRequired(f); err != nil {
			panic(err) // only for a flag that does not exist
		}
	}
	return c
}

// mapping opens one source of the file to try its mapping. Faults elsewhere and missing
// secrets do not matter for that, so the source is given a proof that is never asked for.
func mapping(file, source string) (*intake.Intake, error) {
	cfg, faults, err := config.Load(file)
	if err != nil && faults == nil {
		return nil, err
	}
	i := slices.IndexFunc(cfg.Sources, func(s config.Source) bool { return s.Name == source })
	at := fmt.Sprintf("sources[%d].map", i)
	for _, f := range faults {
		if !f.Warning && (f.Path == "" || strings.HasPrefix(f.Path, at)) {
			return nil, f
		}
	}
	if i < 0 {
		return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("%s has no source %q.", file, source)}
	}
	return intake.New(intake.Config{Sources: []intake.Source{{
		Name: source, Kind: intake.Header, Header: "X-Not-Asked-For", Token: "a token that is never asked for", Map: cfg.Sources[i].Map,
	}}}, nil, slog.New(slog.DiscardHandler))
}

// readFile reads a file, or standard input for "-".
func readFile(c *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(c.InOrStdin(), intake.MaxBody+1))
	}
	return os.ReadFile(name)
}
