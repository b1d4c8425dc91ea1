package sim_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"responsehub/sim"
)

func TestDesksStandInTheWorld(t *testing.T) {
	world, err := sim.New(sim.Options{Listen: "127.0.0.1:0", HubURL: "http://127.0.0.1:1", NoInstall: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(world.Stop)
	if err := world.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"kind: connectwise", "kind: autotask", "kind: halopsa", world.ConnectWiseURL(), world.AutotaskURL(), world.HaloURL(), "company: \"CONTOSO\"", "company: \"Fabrikam\""} {
		if !strings.Contains(world.Config(), want) {
			t.Errorf("the configuration lacks %s", want)
		}
	}
	authority, err := os.ReadFile(world.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	for _, base := range []string{world.ConnectWiseURL(), world.URL() + "/connectwise"} {
		resp, err := client.Get(base + "/login/companyinfo/" + sim.ConnectWiseCompany)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.Contains(string(raw), `"Codebase":"v2025_1/"`) {
			t.Errorf("%s: %s %v", base, raw, err)
		}
	}
	for _, name := range []string{"", "autotask", "halopsa"} {
		if _, err := world.Play(t.Context(), sim.Act{Do: "ticket_close", Desk: name, Ticket: 1}); err == nil || !strings.Contains(err.Error(), "there is no ticket 1") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := world.Play(t.Context(), sim.Act{Do: "ticket_close", Desk: "jira", Ticket: 1}); err == nil {
		t.Error("there is a desk called jira")
	}
	if got := world.Snapshot().Desks; len(got) != 3 || got[0].Desk != "autotask" {
		t.Errorf("%d desks", len(got))
	}
}
