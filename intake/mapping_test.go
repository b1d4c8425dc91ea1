package intake

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

func mapped(t *testing.T, exprs map[string]string, sample string) (*responsehub.Alert, error) {
	t.Helper()
	i, err := New(Config{Sources: []Source{{Name: "s", Kind: Header, Header: "X", Token: "t", Map: exprs}}}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return i.Map("s", []byte(sample))
}

func TestForeignJSONIsMapped(t *testing.T) {
	base := map[string]string{"id": ".i", "tenant": ".t", "user": ".u"}
	with := func(more ...string) map[string]string {
		m := map[string]string{}
		for k, v := range base {
			m[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	const sample = `{"i":12345678901234567890,"t":"c-1","u":"pat@contoso.example","x":null,"sev":"HIGH","at":1763890800,"ms":1763890800500,
		"oid":"22222222-2222-4222-8222-222222222222","tid":"11111111-1111-4111-8111-111111111111",
		"ev":[{"m":"one","ip":"203.0.113.1"},{"m":"two","ip":null}],"from":"a@b.example","subjects":["S"]}`
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().UTC()
		plain := responsehub.Alert{Version: "1", ID: "12345678901234567890", DetectedAt: now, Tenant: responsehub.AlertTenant{SourceTenantID: "c-1"},
			Account: responsehub.Account{UserPrincipalName: "pat@contoso.example"}, Severity: responsehub.High, Title: "Account takeover"}
		for name, tc := range map[string]struct {
			exprs map[string]string
			want  func(a *responsehub.Alert)
		}{
			"least": {base, func(*responsehub.Alert) {}},
			"ids that are GUIDs": {with("tenant", ".tid", "user", ".oid"), func(a *responsehub.Alert) {
				a.Tenant = responsehub.AlertTenant{MicrosoftTenantID: "11111111-1111-4111-8111-111111111111"}
				a.Account = responsehub.Account{ObjectID: "22222222-2222-4222-8222-222222222222"}
			}},
			"dotted names add": {with("account.object_id", ".oid", "tenant.microsoft_tenant_id", ".tid", "account.display_name", `"Pat"`), func(a *responsehub.Alert) {
				a.Tenant.MicrosoftTenantID = "11111111-1111-4111-8111-111111111111"
				a.Account.ObjectID, a.Account.DisplayName = "22222222-2222-4222-8222-222222222222", "Pat"
			}},
			"nothing is the default": {with("severity", ".x", "title", `""`, "detected_at", "empty", "summary", ".nope"), func(*responsehub.Alert) {}},
			"severity in capitals":   {with("severity", ".sev"), func(*responsehub.Alert) {}},
			"seconds":                {with("detected_at", ".at"), func(a *responsehub.Alert) { a.DetectedAt = time.Unix(1763890800, 0).UTC() }},
			"milliseconds":           {with("detected_at", ".ms"), func(a *responsehub.Alert) { a.DetectedAt = time.UnixMilli(1763890800500).UTC() }},
			"computed time":          {with("detected_at", ".at | todate"), func(a *responsehub.Alert) { a.DetectedAt = time.Unix(1763890800, 0).UTC() }},
			"list": {with("evidence", "[.ev[] | {text: .m, ip: .ip}]"), func(a *responsehub.Alert) {
				a.Evidence = []responsehub.Evidence{{Text: "one", IP: "203.0.113.1"}, {Text: "two"}}
			}},
			"columns": {with("evidence.text", "[.ev[].m]", "evidence.ip", "[.ev[].ip]", "evidence.at", "[.at]"), func(a *responsehub.Alert) {
				a.Evidence = []responsehub.Evidence{{Text: "one", IP: "203.0.113.1", At: time.Unix(1763890800, 0).UTC()}, {Text: "two"}}
			}},
			"a column of one": {with("phish.sender", ".from", "phish.subject", ".subjects"), func(a *responsehub.Alert) {
				a.Phish = []responsehub.Phish{{Sender: "a@b.example", Subject: "S"}}
			}},
			"list and column": {with("persistence", `[{kind: "inbox_rule", id: 7}]`, "persistence.name", `"."`), func(a *responsehub.Alert) {
				a.Persistence = []responsehub.AlertFoothold{{Kind: responsehub.InboxRule, ID: "7", Name: "."}}
			}},
		} {
			want := plain
			tc.want(&want)
			got, err := mapped(t, tc.exprs, sample)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if d := cmp.Diff(&want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
	})
}

func TestAMappingThatFailsSaysWhere(t *testing.T) {
	for name, tc := range map[string]struct{ key, expr, pointer, says string }{
		"error":             {"summary", `error("x")`, "/summary", "failed on this message"},
		"wrong type":        {"title", ".a[0]", "/title", "failed on this message"},
		"two values":        {"title", "1, 2", "/title", "more than one value"},
		"value, then error": {"title", `1, error("x")`, "/title", "more than one value"},
		"object for text":   {"title", "{}", "/title", "must be a text"},
		"truth for text":    {"title", "true", "/title", "must be a text"},
		"list for tenant":   {"tenant", "[]", "/tenant", "gives array where a text is needed"},
		"text for list":     {"evidence", `"x"`, "/evidence", "must be a list"},
		"unknown in list":   {"evidence", `[{txt: "x"}]`, "/evidence/0/txt", "is not a field"},
		"null in list":      {"evidence", `[null]`, "/evidence/0", "must be an object"},
		"not a user":        {"user", `"pat"`, "/account/user_principal_name", "must be a user principal name"},
		"far future":        {"detected_at", "1e300", "/detected_at", "must be a time"},
		"not a number":      {"detected_at", "nan", "/detected_at", "must be a time"},
		"infinite":          {"id", "infinite", "", ""},
		"forever":           {"title", "last(repeat(1))", "/title", "longer than allowed"},
		"forever, one":      {"title", "1, last(repeat(1))", "/title", "longer than allowed"},
		"too much":          {"evidence", `[limit(200; repeat({text: ("x" * 10000)}))]`, "/evidence", "more than 1048576 bytes"},
		"environment":       {"title", "$ENV.PATH // env.PATH // {}", "/title", "must be a text"},
		"input":             {"title", "input", "/title", ""},
	} {
		exprs := map[string]string{"id": ".i", "tenant": ".i", "user": `"p@x.example"`}
		exprs[tc.key] = tc.expr
		if tc.key == "title" && tc.expr == "input" {
			if CheckMap(exprs) == nil {
				t.Errorf("%s: compiled", name)
			}
			continue
		}
		a, err := mapped(t, exprs, `{"i":"1","a":{}}`)
		if tc.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		e, ok := errors.AsType[*responsehub.Error](err)
		if !ok || e.Kind != responsehub.Invalid || e.Pointer != tc.pointer || !strings.Contains(e.Message, tc.says) {
			t.Errorf("%s: got %+v and %v, want %s ... %s", name, a, err, tc.pointer, tc.says)
		}
	}
	if _, err := newIntake(t, nil).Map("nobody", nil); responsehub.KindOf(err) != responsehub.NotFound {
		t.Errorf("unknown source: %v", err)
	}
}

func TestAMappingIsStoppedInTime(t *testing.T) {
	m, faults := build(map[string]string{"id": "last(range(1e18))", "tenant": ".", "user": "."})
	if faults != nil {
		t.Fatal(faults)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := m.apply(ctx, "x", time.Now()); err == nil || time.Since(began) > 2*time.Second {
		t.Errorf("stopped after %s with %v", time.Since(began), err)
	}
}

func FuzzMapping(f *testing.F) {
	m, faults := build(sources()[1].Map)
	if faults != nil {
		f.Fatal(faults)
	}
	for _, s := range []string{
		`{"incident":{"id":7,"at":1763890800,"severity":"Low"},"org":{"tenant":"c-1"},"user":{"upn":"pat@contoso.example"},"events":[{"msg":"x","at":"2026-01-01T00:00:00Z"}],"mails":[{"from":"a","subject":"b"}]}`,
		`{"incident":{"id":1e308},"events":[{"msg":null,"at":-1}],"mails":"x"}`, `[]`, `{"incident":[],"events":{}}`, native,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		tree, err := parse(body)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		out, err := m.apply(ctx, tree, time.Unix(1763890800, 0))
		if err != nil {
			if responsehub.KindOf(err) != responsehub.Invalid {
				t.Errorf("not Invalid: %v", err)
			}
			return
		}
		a, err := decode(out)
		if err != nil || a.Validate() != nil {
			return
		}
		if _, err := json.Marshal(a); err != nil {
			t.Errorf("a taken alert cannot be stored: %v", err)
		}
	})
}
