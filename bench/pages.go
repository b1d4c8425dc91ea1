package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"responsehub/sim"
)

const (
	mostLook   = 200 // ms, p95
	mostGrowth = 1.2 // of the hub's memory after everything, to that before
	perSecond  = 20
	warmPages  = 40 // requests of each page that do not count
)

// pages measures what people and programs look at in a large hub: 2,000 tenants, 100,000
// incidents of which 100 are open. Each page is asked for at a steady rate, whether or
// not the one before was answered.
func pages(ctx context.Context, o options, t *table) error {
	v, err := openVillage(ctx)
	defer v.stop()
	if err != nil {
		return err
	}
	looks := []struct{ what, path string }{
		{"home", "/"}, {"home, searched", "/?q=" + url.QueryEscape("customer 19")}, {"home, page 12", "/?page=12"},
		{"incidents", "/incidents"}, {"incidents, closed", "/incidents?status=remediated"}, {"incidents of a tenant", "/incidents?tenant=customer-0007"},
		{"a tenant", "/tenants/customer-0007"}, {"an incident", "/incidents/" + v.open},
		{"API, incidents", "/v1/incidents?limit=50"}, {"API, open incidents", "/v1/incidents?status=active&limit=200"}, {"API, tenants", "/v1/tenants"},
	}
	for _, l := range looks {
		if _, err := v.steady(ctx, l.path, warmPages); err != nil {
			return fmt.Errorf("%s: %w", l.what, err)
		}
	}
	var before, after wholeSays
	if err := v.hub.ask("used", &before); err != nil {
		return err
	}
	for _, l := range looks {
		took, err := v.steady(ctx, l.path, int(o.look.Seconds())*perSecond)
		if err != nil {
			return fmt.Errorf("%s: %w", l.what, err)
		}
		t.most("pages", l.what+", p95", took.at(.95), mostLook, "ms")
		t.note("pages", "  beyond", "p50 %.3g ms, %s", took.at(.5), took.tail())
	}
	if err := v.hub.ask("used", &after); err != nil {
		return err
	}
	t.most("pages", "memory after, to that before", float64(after.Now)/float64(before.Now), mostGrowth, "x")
	t.note("pages", "  beside", "%d MB before, %d MB after, %d MB at most; %.1f ms of CPU for each request", before.Now>>20, after.Now>>20, after.Resident>>20,
		float64(after.CPU-before.CPU)/float64(len(looks)*int(o.look.Seconds())*perSecond))
	return nil
}

// village is a whole hub with very much in its Redis.
type village struct {
	redis *server
	world *sim.World
	hub   *process
	dir   string
	url   string
	open  string // an open incident
	http  http.Client
}

// openVillage fills a Redis and starts a hub on it.
func openVillage(ctx context.Context) (v *village, err error) {
	v = &village{}
	if v.redis, err = startRedis(ctx); err != nil {
		return v, err
	}
	if v.dir, err = os.MkdirTemp("", "rb"); err != nil {
		return v, err
	}
	if v.open, err = populate(ctx, v.redis); err != nil {
		return v, fmt.Errorf("fill the store: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return v, err
	}
	v.url = "http://" + l.Addr().String()
	l.Close()
	v.world, err = sim.New(sim.Options{Listen: "127.0.0.1:0", HubURL: v.url, NoInstall: true, NoLimits: true})
	if err != nil {
		return v, err
	}
	if err := v.world.Start(ctx); err != nil {
		return v, err
	}
	text := strings.ReplaceAll(v.world.Config(), "127.0.0.1:6379", v.redis.addr)
	text = strings.ReplaceAll(text, "server: {", `server: {admin_listen: "", `)
	path := filepath.Join(v.dir, "responsehub.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return v, err
	}
	if v.hub, err = start("whole", path, &wholeSays{}); err != nil {
		return v, err
	}
	return v, v.signIn(ctx)
}

// signIn opens a session in the console.
func (v *village) signIn(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	v.http = http.Client{Jar: jar, Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.url+"/sign-in/key", strings.NewReader(url.Values{"key": {apiKey}}.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := v.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(b), "Sign out") {
		return errors.Join(fmt.Errorf("sign in to the console: %s", resp.Status), err)
	}
	return nil
}

// steady asks for a page n times at the steady rate and returns how long each took.
func (v *village) steady(ctx context.Context, path string, n int) (spread, error) {
	took, faults := make(spread, n), make([]error, n)
	var wg sync.WaitGroup
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	for i := range n {
		select {
		case <-ctx.Done():
			wg.Wait()
			return nil, ctx.Err()
		case <-tick.C:
		}
		wg.Go(func() {
			began := time.Now()
			faults[i] = v.get(ctx, path)
			took[i] = time.Since(began)
		})
	}
	wg.Wait()
	return took, errors.Join(faults...)
}

func (v *village) get(ctx context.Context, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+path, http.NoBody)
	if err != nil {
		return err
	}
	if strings.HasPrefix(path, "/v1/") {
		req.Header.Set("Authorization", "Bearer "+apiKey)
	}
	resp, err := v.http.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || strings.HasPrefix(resp.Request.URL.Path, "/sign-in") {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	return nil
}

func (v *village) stop() {
	if v.hub != nil {
		v.hub.stop()
	}
	if v.world != nil {
		v.world.Stop()
	}
	if v.redis != nil {
		v.redis.stop()
	}
	_ = os.RemoveAll(v.dir)
}
