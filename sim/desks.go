package sim

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"responsehub/sim/autotask"
	"responsehub/sim/connectwise"
	"responsehub/sim/desk"
	"responsehub/sim/halopsa"
)

// The hub's accounts at the ticket systems.
const (
	ConnectWiseCompany  = "securitydesk"
	ConnectWiseKey      = "HubPublicKey0001"
	ConnectWiseClientID = "c0ffee00-0004-4004-8004-000000000004"
	AutotaskUser        = "hub@autotask.desk.example"
	HaloClientID        = "c0ffee00-0005-4005-8005-000000000005"
	HaloTenant          = "securitydesk" // which a hosted instance asks for at sign-in
)

// serviceDesk is a ticket system.
type serviceDesk interface {
	Handler() http.Handler
	Play(ctx context.Context, a desk.Act) (string, error)
	Snapshot() desk.State
	Stop()
}

// desks are the ticket systems by name, which is also the path prefix.
func (w *World) desks() map[string]serviceDesk {
	out := map[string]serviceDesk{}
	if w.ConnectWise != nil {
		out["connectwise"] = w.ConnectWise
	}
	if w.Autotask != nil {
		out["autotask"] = w.Autotask
	}
	if w.Halo != nil {
		out["halopsa"] = w.Halo
	}
	return out
}

// buildDesks makes the ticket systems, as they were kept where they were.
func (w *World) buildDesks(kept saved) (err error) {
	w.ConnectWise, err = connectwise.Restore(connectwise.Config{
		URL: w.ConnectWiseURL(), Company: ConnectWiseCompany, PublicKey: ConnectWiseKey, PrivateKey: w.secrets.connectwise, ClientID: ConnectWiseClientID,
		Customers: w.deskCustomers(), Log: w.Wire, Client: loopbackClient(), Speed: w.opts.PhoneSpeed,
	}, kept.ConnectWise)
	if err != nil {
		return err
	}
	w.Autotask, err = autotask.Restore(autotask.Config{
		URL: w.AutotaskURL(), Username: AutotaskUser, Secret: w.secrets.autotask, Code: w.AutotaskCode(), Customers: w.deskCustomers(),
		Log: w.Wire, Client: loopbackClient(), Speed: w.opts.PhoneSpeed, NoLimits: w.opts.NoLimits,
	}, kept.Autotask)
	if err != nil {
		return err
	}
	w.Halo, err = halopsa.Restore(halopsa.Config{
		URL: w.HaloURL(), ClientID: HaloClientID, ClientSecret: w.secrets.halo, Tenant: HaloTenant, Customers: w.deskCustomers(), Log: w.Wire, Client: loopbackClient(), Speed: w.opts.PhoneSpeed,
	}, kept.Halo)
	return err
}

// ConnectWiseURL is the site of ConnectWise: with TLS, on the listener of the sign-in service. The
// same stands without TLS below URL.
func (w *World) ConnectWiseURL() string { return w.LoginURL() + "/connectwise" }

// AutotaskURL is the zone of Autotask.
func (w *World) AutotaskURL() string { return w.URL() + "/autotask" }

// HaloURL is the instance of HaloPSA.
func (w *World) HaloURL() string { return w.URL() + "/halopsa" }

// AutotaskCode is the hub's tracking identifier.
func (w *World) AutotaskCode() string { return "HUB" + w.secrets.autotask[:20] }

// DeskSecret is the secret of the hub's account at a desk: the private key at connectwise, the password
// at autotask, the client secret at halopsa.
func (w *World) DeskSecret(name string) string {
	return map[string]string{"connectwise": w.secrets.connectwise, "autotask": w.secrets.autotask, "halopsa": w.secrets.halo}[name]
}

// deskCustomers are the customers as the desk calls them.
func (w *World) deskCustomers() (out []desk.Customer) {
	for _, s := range w.Scenes {
		first, last, _ := strings.Cut(s.Victim.Name, " ")
		out = append(out, desk.Customer{
			Identifier: DeskCompany(s.Tenant.Name), Name: s.Tenant.Name, TenantID: s.Tenant.ID,
			Contacts: []desk.Contact{{First: first, Last: last, Mail: s.Victim.UPN}},
		})
	}
	return out
}

// DeskCompany is the identifier of a customer in ConnectWise.
func DeskCompany(name string) string {
	short := strings.ToUpper(strings.ReplaceAll(name, " ", ""))
	return short[:min(len(short), 25)]
}

// secure is everything on the listener with TLS: sign-in at the root, and ConnectWise, whose clients insist on it.
func (w *World) secureHandler() http.Handler {
	return withDesks(w.withReceiver(w.Login), map[string]http.Handler{"/connectwise": w.durable(w.ConnectWise.Handler())})
}

// withDesks serves each prefix by its own handler. A ServeMux would redirect from the two slashes in
// the addresses of ConnectWise's keys.
func withDesks(next http.Handler, prefixes map[string]http.Handler) http.Handler {
	stripped := map[string]http.Handler{}
	for prefix, h := range prefixes {
		stripped[prefix] = http.StripPrefix(prefix, h)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if first, _, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); ok && stripped["/"+first] != nil {
			stripped["/"+first].ServeHTTP(rw, r)
			return
		}
		next.ServeHTTP(rw, r)
	})
}

// playDesk is what people do at the service desk. It reports whether it knows the act.
func (w *World) playDesk(ctx context.Context, a Act) (seen string, known bool, err error) {
	if !strings.HasPrefix(a.Do, "ticket_") && !strings.HasPrefix(a.Do, "desk_") {
		return "", false, nil
	}
	name := cmp.Or(a.Desk, "connectwise")
	d := w.desks()[name]
	if d == nil {
		return "", true, fmt.Errorf("sim: there is no ticket system %q", name)
	}
	seen, err = d.Play(ctx, desk.Act{Do: a.Do, Ticket: a.Ticket, Person: a.Person, Value: a.Value, Text: a.Text})
	return seen, true, err
}

// deskStates are the desks by name.
func (w *World) deskStates() (out []desk.State) {
	for _, d := range w.desks() {
		out = append(out, d.Snapshot())
	}
	slices.SortFunc(out, func(a, b desk.State) int { return strings.Compare(a.Product, b.Product) })
	return out
}
