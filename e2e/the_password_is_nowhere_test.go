package e2e

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub"
	"responsehub/api"
	"responsehub/remediation"
)

// TestThePasswordIsNowhere: two one-time passwords are made, one asked for in Teams and
// one by a program, and both are shown. Neither occurs in a log line, in anything that
// Redis keeps in memory or on disk, in the record, on a card, in anything that was sent
// to Teams, or in any answer of the API but the one reveal.
func TestThePasswordIsNowhere(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{separate: true})
	in := s.takeover()
	victim := s.scene(0).Victim
	s.persistenceSettled(in)

	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	first := victim.Password()
	s.card(in.Ref, "4 Reset password — ✓")
	s.nowhere(in, "sealed and not yet shown", first)
	bob := s.click("bob", in.Ref, "Show password", nil)
	if found(encoded(t, bob), first) {
		t.Error("Bob was shown Ann's password")
	}
	ann := s.click("ann", in.Ref, "Show password", nil)
	// The search must be able to find: it does where the password has to be.
	if !found(ann.Card, first) {
		t.Fatal("the search does not find the password in Ann's dialog")
	}

	if r := s.ask(in.Incident, responsehub.Password, api.StepBody{Reason: "Pat wrote it down wrong."}); r.status != http.StatusAccepted {
		t.Fatalf("a second reset: %s", r)
	}
	s.until("there is another password", func() bool { return victim.Password() != first })
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	second := victim.Password()
	r := s.api(http.MethodPost, "/v1/incidents/"+in.Incident+"/steps/password/reveal", nil)
	if r.status != http.StatusOK || !found(r.body, second) {
		t.Fatalf("the search does not find the password in the reveal, %d", r.status)
	}
	sent := 0
	for _, q := range s.world.Wire.Requests() {
		if found([]byte(q.Body), first, second) {
			sent++
		}
	}
	if sent != 2 {
		t.Fatalf("the search finds the passwords in %d requests to Microsoft, want 2", sent)
	}
	s.ask(in.Incident, responsehub.Reenable, api.StepBody{})
	s.is(in.Incident, responsehub.Reenable, responsehub.Done)
	s.ask(in.Incident, responsehub.Close, api.StepBody{})
	s.closed(in)
	s.nowhere(in, "after both were shown", first, second)
	s.hub.stop(t)
	s.searchLogs("after the hub ended", first, second)
	s.hub = nil
}

// found looks for the passwords as they are and in the forms in which they could hide.
func found(b []byte, passwords ...string) bool {
	text := string(b)
	for _, p := range passwords {
		quoted, _ := json.Marshal(p) // a text always encodes
		forms := []string{p, strings.Trim(string(quoted), `"`), hex.EncodeToString([]byte(p))}
		// Base64 of something longer that holds it: three ways to fall on the boundary, without
		// the characters at the ends, which depend on the neighbours.
		for pad := range 3 {
			e := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", pad) + p))
			e = strings.TrimRight(e, "=")
			forms = append(forms, e[min(len(e), (pad*4+2)/3+1):len(e)-2])
		}
		for _, f := range forms {
			if strings.Contains(text, f) {
				return true
			}
		}
	}
	return false
}

// nowhere searches everything that is kept, shown or sent.
func (s *stage) nowhere(in opened, when string, passwords ...string) {
	s.Helper()
	s.searchLogs(when, passwords...)
	s.searchRedis(when, passwords...)
	for _, path := range []string{"", "/events"} {
		s.api(http.MethodGet, "/v1/incidents/"+in.Incident+path, nil)
	}
	for _, path := range []string{"/v1/incidents", "/v1/tenants", "/v1/lanes?state=dead", "/readyz", "/openapi.json"} {
		s.api(http.MethodGet, path, nil)
	}
	s.mu.Lock()
	heard := s.heard
	s.mu.Unlock()
	for _, b := range heard {
		if found(b, passwords...) {
			s.Errorf("%s: the password is in an answer of the API: %.300s", when, b)
		}
	}
	teams := encoded(s, s.world.Teams.Snapshot())
	if len(s.cards(in.Ref)) == 0 || !strings.Contains(string(teams), in.Ref) {
		s.Fatal("there is no card to search")
	}
	if found(teams, passwords...) {
		s.Errorf("%s: the password is in Teams", when)
	}
	for _, q := range s.world.Wire.Requests() {
		allowed := q.Vendor == "graph" && q.Method == http.MethodPatch && strings.Contains(q.Body, "passwordProfile")
		if q.Body = strings.Clone(q.Body); allowed {
			q.Body = ""
		}
		if found(encoded(s, q), passwords...) {
			s.Errorf("%s: the password is in %s %s %s", when, q.Vendor, q.Method, q.Path)
		}
	}
}

func (s *stage) searchLogs(when string, passwords ...string) {
	s.Helper()
	log := s.logs.String()
	if !strings.Contains(log, `"lane"`) && !strings.Contains(log, `"incident"`) {
		s.Fatal("the hub's log is not there to search")
	}
	for line := range strings.SplitSeq(log, "\n") {
		if found([]byte(line), passwords...) {
			s.Errorf("%s: the password is in the log: %s", when, line)
		}
	}
}

// searchRedis reads every key by its type, every key's dump, and the files on disk.
func (s *stage) searchRedis(when string, passwords ...string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	keys := 0
	iter := s.rdb.Scan(ctx, 0, "*", 500).Iterator()
	for iter.Next(ctx) {
		keys++
		key := iter.Val()
		value, err := wholeValue(ctx, s.rdb, key)
		if err != nil {
			s.Fatalf("read %s: %v", key, err)
		}
		dump, err := s.rdb.Dump(ctx, key).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			s.Fatalf("dump %s: %v", key, err)
		}
		if found([]byte(key+value), passwords...) || found([]byte(dump), passwords...) {
			s.Errorf("%s: the password is in Redis under %s", when, key)
		}
	}
	if err := iter.Err(); err != nil || keys < 10 {
		s.Fatalf("only %d keys in Redis: %v", keys, err)
	}
	s.searchDisk(ctx, when, passwords...)
}

// wholeValue is everything under a key as text.
func wholeValue(ctx context.Context, rdb redis.UniversalClient, key string) (string, error) {
	kind, err := rdb.Type(ctx, key).Result()
	if err != nil {
		return "", err
	}
	var v any
	switch kind {
	case "string":
		v, err = rdb.Get(ctx, key).Result()
	case "hash":
		fields, failed := rdb.HGetAll(ctx, key).Result()
		for name, value := range fields {
			fields[name] = unpacked(value)
		}
		v, err = fields, failed
	case "list":
		entries, failed := rdb.LRange(ctx, key, 0, -1).Result()
		for i, value := range entries {
			entries[i] = unpacked(value)
		}
		v, err = entries, failed
	case "set":
		v, err = rdb.SMembers(ctx, key).Result()
	case "zset":
		v, err = rdb.ZRangeWithScores(ctx, key, 0, -1).Result()
	case "none": // expired since it was listed
	default:
		return "", fmt.Errorf("a key of type %s", kind)
	}
	return fmt.Sprint(v), err
}

// unpacked opens what is packed: closed incidents, letters and entries of the record.
func unpacked(value string) string {
	if plain, err := remediation.Unpack([]byte(value)); err == nil {
		return string(plain)
	}
	return value
}

func (s *stage) searchDisk(ctx context.Context, when string, passwords ...string) {
	s.Helper()
	dir := s.rdb.ConfigGet(ctx, "dir").Val()["dir"]
	bytes := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		bytes += len(b)
		if found(b, passwords...) {
			s.Errorf("%s: the password is on disk in %s", when, filepath.Base(path))
		}
		return err
	})
	if err != nil || bytes < 10_000 {
		s.Fatalf("only %d bytes of Redis on disk: %v", bytes, err)
	}
}

// TestTheSearchFinds keeps the search honest.
func TestTheSearchFinds(t *testing.T) {
	t.Parallel()
	const p = "aB3-xY7_kk=Q9+mmZ#"
	for name, text := range map[string]string{
		"as it is": "password: " + p, "in JSON": string(encoded(t, map[string]string{"p": p})), "in hex": hex.EncodeToString([]byte("zz" + p + "zz")),
		"in base64, aligned": base64.StdEncoding.EncodeToString([]byte("abc" + p + "tail")),
		"in base64, by one":  base64.StdEncoding.EncodeToString([]byte("a" + p + "tail")),
		"in base64, by two":  base64.StdEncoding.EncodeToString([]byte("ab" + p + "tail")),
	} {
		if !found([]byte(text), p) {
			t.Errorf("%s: not found in %q", name, text)
		}
	}
	if found([]byte("nothing of it here, aB3-xY7 alone"), p) {
		t.Error("found where it is not")
	}
}
