//go:build conformance

package twilio

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/oncall"
)

func vendorFile(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("RESPONSEHUB_VENDOR")
	if folder == "" {
		t.Fatal("RESPONSEHUB_VENDOR must name the folder with the vendors' descriptions: run make conformance.")
	}
	return filepath.Join(folder, name)
}

func readVendor(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(vendorFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

// TestVectors holds our check against requests signed by Twilio's own library.
func TestVectors(t *testing.T) {
	var vectors struct {
		AuthToken responsehub.Secret
		Cases     []struct {
			Name, CheckedURL, Signature string
			RawBody                     *string
			Params                      map[string]any
			NpmAccepts                  bool
		}
	}
	readVendor(t, "twilio-signature-vectors.json", &vectors)
	if len(vectors.Cases) != 26 {
		t.Fatalf("%d vectors, want 26", len(vectors.Cases))
	}
	tokens := []responsehub.Secret{"anotherToken", vectors.AuthToken}
	for _, c := range vectors.Cases {
		form := url.Values{}
		for name, value := range c.Params {
			switch v := value.(type) {
			case string:
				form.Set(name, v)
			case []any:
				for _, one := range v {
					form.Add(name, one.(string))
				}
			}
		}
		got := signed(tokens, c.CheckedURL, form, c.Signature)
		if c.RawBody != nil {
			got = signedBody(tokens, c.CheckedURL, []byte(*c.RawBody), c.Signature)
		}
		if got != c.NpmAccepts {
			t.Errorf("%s: accepted %v, want %v", c.Name, got, c.NpmAccepts)
		}
	}
}

// TestClasses holds our table of codes against the collected one.
func TestClasses(t *testing.T) {
	var table struct {
		Rows []struct {
			Code  int
			Class class
		}
	}
	readVendor(t, "twilio-error-classes.json", &table)
	for _, row := range table.Rows {
		if got := codes[row.Code].class; got != row.Class {
			t.Errorf("%d is %q, want %q", row.Code, got, row.Class)
		}
	}
	if len(table.Rows) != len(codes) {
		t.Errorf("%d codes, want %d", len(codes), len(table.Rows))
	}
}

// prism starts the mock of Twilio's API that refuses what the description does not allow,
// behind a proxy that keeps what was sent.
func prism(t *testing.T) (api string, sent func() []*http.Request) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	binary, err := filepath.Abs("../../tools/npm/node_modules/.bin/prism")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, binary, "mock", "-h", "127.0.0.1", "-p", port, "--errors", vendorFile(t, "twilio-openapi-strict.json"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatalf("prism is not installed, run make deps: %v", err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	address := "http://127.0.0.1:" + port
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("prism did not start:\n%s", &out)
		}
	}
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var requests []*http.Request
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		mu.Lock()
		defer mu.Unlock()
		requests = append(requests, r.In)
	}}
	srv := httptest.NewServer(proxy)
	t.Cleanup(srv.Close)
	return srv.URL, func() []*http.Request {
		mu.Lock()
		defer mu.Unlock()
		return requests
	}
}

// TestDescription: every request of the connector is one that Twilio's own description
// allows, in its strict form.
func TestDescription(t *testing.T) {
	api, sent := prism(t)
	cfg := testConfig(api)
	for _, service := range []string{"", "MG0123456789abcdef0123456789abcdef"} {
		cfg.AccountSID, cfg.APIKey, cfg.MessagingServiceSID = "AC0123456789abcdef0123456789abcdef", "SK0123456789abcdef0123456789abcdef", service
		c := newClient(t, cfg)
		for what, do := range map[string]func() error{
			"call": func() error { _, err := c.Call(t.Context(), ring); return err },
			"text": func() error {
				_, err := c.Text(t.Context(), oncall.Text{Attempt: "a1", To: phone, Body: "RH-7K2M Contoso. Reply 4821"})
				return err
			},
			"hang up":    func() error { return c.HangUp(t.Context(), "CA0123456789abcdef0123456789abcdef") },
			"find calls": func() error { _, err := c.Find(t.Context(), responsehub.ByCall, phone, time.Now()); return err },
			"find texts": func() error { _, err := c.Find(t.Context(), responsehub.ByText, phone, time.Now()); return err },
		} {
			before := len(sent())
			// The mock invents its answers, so that one may lack an id; what it refuses is a 4xx.
			if err := do(); responsehub.KindOf(err) == responsehub.Permanent {
				t.Errorf("%s: %v", what, err)
			}
			if len(sent()) == before {
				t.Errorf("%s made no request", what)
			}
		}
	}
	// The mock can refuse: this is no id of a call.
	if err := newClient(t, cfg).HangUp(t.Context(), "nonsense"); responsehub.KindOf(err) != responsehub.Permanent {
		t.Errorf("an id that is none: %v, want a refusal", err)
	}
}
