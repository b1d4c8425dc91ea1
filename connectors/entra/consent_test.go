package entra

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConsentLink(t *testing.T) {
	const tenant, client = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	for _, tc := range []struct{ authority, graph, want string }{
		{"", "", "https://login.microsoftonline.com/" + tenant + "/v2.0/adminconsent?client_id=" + client + "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"},
		{"https://login.microsoftonline.us", "", "https://login.microsoftonline.us/" + tenant + "/v2.0/adminconsent?client_id=" + client + "&scope=https%3A%2F%2Fgraph.microsoft.us%2F.default"},
		{"https://login.microsoftonline.us/", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us/" + tenant + "/v2.0/adminconsent?client_id=" + client + "&scope=https%3A%2F%2Fdod-graph.microsoft.us%2F.default"},
		{"https://login.chinacloudapi.cn", "", "https://login.chinacloudapi.cn/" + tenant + "/v2.0/adminconsent?client_id=" + client + "&scope=https%3A%2F%2Fmicrosoftgraph.chinacloudapi.cn%2F.default"},
	} {
		l, err := New(Config{ClientID: client, ClientSecret: "secret", Authority: tc.authority, Graph: tc.graph}, http.DefaultClient)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.ConsentLink(tenant); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.authority, got, tc.want)
		}
	}
}

func TestDirectoryRoles(t *testing.T) {
	r := Rights{Wids: []string{"29232cdf-9323-42fd-ade2-1d097af3e4de", "00000000-0000-0000-0000-000000000000", "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"}}
	if d := cmp.Diff([]string{"Exchange Administrator", "Privileged Authentication Administrator"}, r.DirectoryRoles()); d != "" {
		t.Error(d)
	}
}
