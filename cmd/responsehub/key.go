package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"responsehub"
	"responsehub/api"
	"responsehub/config"
	"responsehub/store"
)

func newKey() *cobra.Command {
	return group("key", "API keys: make, list, remove", newKeyCreate(), newKeyAdd(), newKeyList(), newKeyRemove())
}

// created is a new key as it is printed, once.
type created struct {
	ID      string           `json:"id"`
	Name    string           `json:"name"`
	Role    responsehub.Role `json:"role"`
	Tenants []string         `json:"tenants"`
	Key     string           `json:"key"`
}

func newKeyCreate() *cobra.Command {
	var file, name, role string
	var tenants []string
	c := &cobra.Command{
		Use: "create --config FILE --name NAME --role ROLE", Short: "Make an API key and print it, once; only its hash is kept", Args: cobra.NoArgs,
		Long: "Makes an API key and writes its hash to Redis; the hub need not run. It is how the first key is made. Where there is\none already, key add makes another over the hub's API, from anywhere.",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, _, err := config.Load(file)
			if err != nil {
				return err
			}
			plain, key, err := api.NewKey(cfg.Secrets.Bytes(), name, responsehub.Role(role), tenants, time.Now())
			if err != nil {
				return err
			}
			r := cfg.Redis
			rdb, err := store.Open(store.Config{Addrs: r.Addrs, MasterName: r.MasterName, Cluster: r.Cluster, Username: r.Username, Password: r.Password, TLS: r.TLS})
			if err != nil {
				return err
			}
			defer rdb.Close()
			dir := store.NewDirectory(rdb, slog.New(slog.DiscardHandler))
			if err := dir.Refresh(c.Context()); err != nil {
				return fmt.Errorf("redis at %s cannot be read; is it running, and is the section redis of %s right? %w", strings.Join(r.Addrs, ", "), file, err)
			}
			for _, t := range key.Tenants {
				if !knows(dir.Tenants(), t) {
					return &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no tenant %q; a key's tenants are named by name or id.", t)}
				}
			}
			if err := dir.PutKey(c.Context(), responsehub.By{ID: "cli", Name: "responsehub key create"}, key); err != nil {
				return err
			}
			fmt.Fprintln(c.ErrOrStderr(), "The key is shown only now:")
			out := created{ID: key.ID, Name: key.Name, Role: key.Role, Tenants: key.Tenants, Key: string(plain)}
			return show(c, out, func(w io.Writer) { row(w, out.Key) })
		},
	}
	configFlag(c, &file)
	keyFlags(c, &name, &role, &tenants)
	return c
}

// knows tells whether a key's tenant is "*" or one of the list.
func knows(tenants []responsehub.Tenant, name string) bool {
	for _, t := range tenants {
		if (responsehub.Actor{Tenants: []string{name}}).Sees(t.Ref()) {
			return true
		}
	}
	return name == "*"
}
