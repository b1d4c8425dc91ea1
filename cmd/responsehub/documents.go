package main

import (
	"cmp"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/api"
	"responsehub/audit"
)

func newIncidentReport() *cobra.Command {
	var form, file string
	c := &cobra.Command{Use: "report ID|REF", Short: "A report of an incident for people: html, pdf, csv or xlsx", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return save(c, path("v1", "incidents", args[0], "report")+"?form="+url.QueryEscape(form), cmp.Or(file, args[0]+"."+form))
	}}
	c.Flags().StringVar(&form, "form", "pdf", "html, pdf, csv or xlsx")
	c.Flags().StringVar(&file, "out", "", "file to write; - is standard output; REF.FORM when left out")
	return c
}

func newIncidentExport() *cobra.Command {
	var file string
	c := &cobra.Command{Use: "export ID|REF", Short: "An incident with its whole record, signed; audit verify checks it offline", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return save(c, path("v1", "incidents", args[0], "evidence"), cmp.Or(file, args[0]+"-evidence.json"))
	}}
	c.Flags().StringVar(&file, "out", "", "file to write; - is standard output; REF-evidence.json when left out")
	return c
}

func newReport() *cobra.Command {
	var form, file, tenant, from, to string
	c := &cobra.Command{Use: "report", Short: "A report of the incidents of a period, of one tenant or all", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		if tenant != "" {
			hub, err := newClient()
			if err == nil {
				tenant, err = tenantID(c.Context(), hub, tenant)
			}
			if err != nil {
				return err
			}
		}
		q := url.Values{"form": {form}}
		for name, value := range map[string]string{"tenant": tenant, "from": from, "to": to} {
			if value == "" {
				continue
			}
			if day, err := time.Parse(time.DateOnly, value); err == nil && name != "tenant" {
				value = day.Format(time.RFC3339)
			}
			q.Set(name, value)
		}
		return save(c, "/v1/reports?"+q.Encode(), cmp.Or(file, "incidents."+form))
	}}
	c.Flags().StringVar(&form, "form", "pdf", "html, pdf, csv or xlsx")
	c.Flags().StringVar(&file, "out", "", "file to write; - is standard output; incidents.FORM when left out")
	c.Flags().StringVar(&tenant, "tenant", "", "only this tenant's: its name or one of its ids")
	c.Flags().StringVar(&from, "from", "", "first day, 2026-11-01, or a time; a month ago when left out")
	c.Flags().StringVar(&to, "to", "", "day or time before which it ends; now when left out")
	return c
}

// save writes what the hub answers to a file that is not there yet.
func save(c *cobra.Command, path, file string) error {
	hub, err := newClient()
	if err != nil {
		return err
	}
	body, err := hub.get(c.Context(), path)
	if err != nil {
		return err
	}
	if file == "-" {
		_, err := c.OutOrStdout().Write(body)
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("%w; name another file with --out", err)
	}
	_, err = f.Write(body)
	if err := cmp.Or(err, f.Close()); err != nil {
		return err
	}
	fmt.Fprintln(c.OutOrStdout(), file)
	return nil
}

func newAudit() *cobra.Command { return group("audit", "Prove what was done", newAuditVerify()) }

// verified is what audit verify prints.
type verified struct {
	Incidents   int       `json:"incidents"`
	Entries     int       `json:"entries"`
	Rebuilt     int       `json:"rebuilt"`
	Hub         int       `json:"hub_entries"`
	Ref         string    `json:"ref,omitempty"`
	Made        time.Time `json:"made,omitzero"`
	Fingerprint string    `json:"key_fingerprint"`
}

func newAuditVerify() *cobra.Command {
	var key string
	c := &cobra.Command{Use: "verify [FILE]", Short: "Check an evidence bundle offline, or every record of the hub", Args: cobra.MaximumNArgs(1),
		Long: "With FILE it checks a bundle of `incident export` and asks nobody: its hash, its signature, the chain of its record, and that\nthe state follows from the record. --key is the hub's public key as GET /v1/audit/key gives it; without it the command\nshows which key signed. Without FILE it checks the records of all incidents and of the hub itself over the API.",
		RunE: func(c *cobra.Command, args []string) error {
			trusted, err := publicKey(key)
			if err != nil {
				return err
			}
			var v verified
			if len(args) == 1 {
				v, err = verifyFile(args[0], trusted)
			} else {
				v, err = verifyHub(c, trusted)
			}
			if err != nil {
				return &responsehub.Error{Kind: responsehub.Refused, Message: "NOT VERIFIED: " + responsehub.Sentence(err), Err: err}
			}
			return show(c, v, func(w io.Writer) {
				if v.Ref != "" {
					fmt.Fprintf(w, "Verified: %s, made %s, %d entries, unbroken; signed by key %s\n", v.Ref, at(v.Made), v.Entries, v.Fingerprint)
					return
				}
				fmt.Fprintf(w, "Verified: %d incidents with %d entries (%d states rebuilt), %d entries of the hub; signed by key %s\n", v.Incidents, v.Entries, v.Rebuilt, v.Hub, v.Fingerprint)
			})
		}}
	c.Flags().StringVar(&key, "key", "", "the hub's public key, base64")
	return c
}

func publicKey(s string) (ed25519.PublicKey, error) {
	if s == "" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, wrongUsage("--key is not the base64 of a public key")
	}
	return b, nil
}

func verifyFile(name string, trusted ed25519.PublicKey) (verified, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return verified{}, plainError(err)
	}
	found, err := audit.Verify(b, trusted)
	return verified{Incidents: 1, Entries: found.Entries, Ref: found.Ref, Made: found.Made, Fingerprint: found.Fingerprint}, plainError(err)
}

// plainError keeps the sentence of an error that is no error of the hub.
func plainError(err error) error {
	if err == nil {
		return nil
	}
	return &responsehub.Error{Kind: responsehub.Refused, Message: err.Error() + ".", Err: err}
}

// verifyHub checks every incident's bundle and the hub's own record.
func verifyHub(c *cobra.Command, trusted ed25519.PublicKey) (verified, error) {
	var v verified
	hub, err := newClient()
	if err != nil {
		return v, err
	}
	if trusted == nil {
		var k api.AuditKey
		if err := hub.do(c.Context(), "GET", "/v1/audit/key", nil, &k); err != nil {
			return v, err
		}
		if trusted, err = publicKey(k.PublicKey); err != nil {
			return v, err
		}
	}
	v.Fingerprint = audit.Fingerprint(trusted)
	for cursor := ""; ; {
		var list api.List[api.Incident]
		if err := hub.do(c.Context(), "GET", "/v1/incidents?limit=200&cursor="+url.QueryEscape(cursor), nil, &list); err != nil {
			return v, err
		}
		for _, inc := range list.Items {
			b, err := hub.get(c.Context(), path("v1", "incidents", inc.ID, "evidence"))
			if err != nil {
				return v, err
			}
			found, err := audit.Verify(b, trusted)
			if err != nil {
				return v, plainError(fmt.Errorf("%s: %w", inc.Ref, err))
			}
			v.Incidents, v.Entries = v.Incidents+1, v.Entries+found.Entries
			if found.Rebuilt {
				v.Rebuilt++
			}
		}
		if cursor = list.Next; cursor == "" {
			break
		}
	}
	var entries []json.RawMessage
	for after := "0"; after != ""; {
		var list api.List[json.RawMessage]
		if err := hub.do(c.Context(), "GET", "/v1/audit?after="+after, nil, &list); err != nil {
			return v, err
		}
		entries, after = append(entries, list.Items...), list.Next
	}
	if _, err := audit.Chain(entries, ""); err != nil {
		return v, plainError(fmt.Errorf("the hub's own record: %w", err))
	}
	v.Hub = len(entries)
	return v, nil
}
