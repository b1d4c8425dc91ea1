package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"responsehub/sim/petra"
)

// A world with Options.Dir is kept in one file of that directory. What changed is found by encoding
// the whole every saveEvery and comparing it with what was written last: no change can be forgotten,
// whoever made it, and a burst of changes is one write. What the hub changes is kept before it gets
// its answer (durable). Not kept are the ledgers of Wire, scripted faults, limits and latencies.
const (
	savedFile   = "world.json"
	savedFormat = "responsehub simulated world"
	savedAs     = 1
	saveEvery   = 400 * time.Millisecond
)

// saved is the file. It holds secrets and is for nobody else's eyes.
type saved struct {
	Format      string          `json:"format"`
	Version     int             `json:"version"`
	Alerts      int64           `json:"alerts"`
	Secrets     savedSecrets    `json:"secrets"`
	Certificate certificate     `json:"certificate"`
	Login       json.RawMessage `json:"login"`
	Teams       json.RawMessage `json:"teams"`
	Microsoft   json.RawMessage `json:"microsoft"`
	Twilio      json.RawMessage `json:"twilio,omitempty"`
	Mail        json.RawMessage `json:"mail,omitempty"`
	ConnectWise json.RawMessage `json:"connectwise,omitempty"`
	Autotask    json.RawMessage `json:"autotask,omitempty"`
	Halo        json.RawMessage `json:"halopsa,omitempty"`
	Receiver    json.RawMessage `json:"receiver,omitempty"`

	Petra []petra.Incident `json:"petra,omitempty"`
}

type savedSecrets struct {
	HubKey  string `json:"hub_key"`
	Webhook string `json:"webhook"`
	Client  string `json:"client"`
	Bot     string `json:"bot"`

	// Absent in worlds that had no phones.
	TwilioToken  string `json:"twilio_token,omitempty"`
	TwilioSecret string `json:"twilio_secret,omitempty"`
	Mail         string `json:"mail,omitempty"`

	// Absent in worlds that had no ticket systems.
	ConnectWise string `json:"connectwise,omitempty"`
	Autotask    string `json:"autotask,omitempty"`
	Halo        string `json:"halo,omitempty"`

	Petra string `json:"petra,omitempty"` // absent in worlds whose detector could not be asked
}

// openDir makes the directory ready and takes it for this world alone.
func (w *World) openDir() error {
	if w.dir == "" {
		dir, err := os.MkdirTemp("", "responsehub-sim-")
		if err != nil {
			return fmt.Errorf("sim: directory for the CA file: %w", err)
		}
		w.dir, w.dirIsOurs = dir, true
		return nil
	}
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return fmt.Errorf("sim: directory of the world: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(w.dir, "world.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return fmt.Errorf("sim: another simulated world keeps itself in %s; stop it or choose another directory", w.dir)
	}
	w.unlock = func() { f.Close() }
	// A world that was killed while it wrote left a half of a file behind.
	left, err := filepath.Glob(filepath.Join(w.dir, savedFile+".*"))
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		return fmt.Errorf("sim: clear away what a write left: %w", err)
	}
	return nil
}

// path is the file that the world is kept in.
func (w *World) path() string { return filepath.Join(w.dir, savedFile) }

// load reads what was kept, nil when there is nothing or Options.Fresh forgets it.
func (w *World) load() (*saved, error) {
	if w.dirIsOurs {
		return nil, nil
	}
	if w.opts.Fresh {
		if err := os.Remove(w.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("sim: forget the kept world: %w", err)
		}
		return nil, nil
	}
	raw, err := os.ReadFile(w.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sim: read the kept world: %w", err)
	}
	in, err := decodeSaved(raw)
	if err != nil {
		return nil, w.unreadable(err)
	}
	return in, nil
}

// unreadable says what a person can do about a file that is not the world it should be.
func (w *World) unreadable(err error) error {
	return fmt.Errorf("sim: the kept world cannot be used: %w; delete the file %s and a new world begins", err, w.path())
}

func decodeSaved(raw []byte) (*saved, error) {
	var in saved
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	switch {
	case in.Format != savedFormat:
		return nil, errors.New("the file is something else")
	case in.Version != savedAs:
		return nil, fmt.Errorf("it was kept as version %d, this program knows version %d", in.Version, savedAs)
	case in.Secrets.HubKey == "" || in.Secrets.Webhook == "" || in.Secrets.Client == "" || in.Secrets.Bot == "":
		return nil, errors.New("a secret is missing")
	}
	return &in, nil
}

// encode is the world as load reads it.
func (w *World) encode() ([]byte, error) {
	out := saved{
		Format: savedFormat, Version: savedAs, Alerts: w.alerts.Load(), Certificate: w.certificate,
		Secrets: savedSecrets{
			HubKey: w.secrets.hubKey, Webhook: w.secrets.webhook, Client: w.secrets.client, Bot: w.secrets.bot,
			TwilioToken: w.secrets.twilioToken, TwilioSecret: w.secrets.twilioSecret, Mail: w.secrets.mail,
			ConnectWise: w.secrets.connectwise, Autotask: w.secrets.autotask, Halo: w.secrets.halo, Petra: w.secrets.petra,
		},
		Petra: w.Petra.Incidents(),
	}
	var errs [9]error
	out.Login, errs[0] = w.Login.Save()
	out.Teams, errs[1] = w.Teams.Save()
	out.Microsoft, errs[2] = w.Microsoft.Save(w.Scenes)
	out.Twilio, errs[3] = w.Twilio.Save()
	out.Mail, errs[4] = w.Mail.Save()
	out.ConnectWise, errs[5] = w.ConnectWise.Save()
	out.Autotask, errs[6] = w.Autotask.Save()
	out.Halo, errs[7] = w.Halo.Save()
	out.Receiver, errs[8] = w.Receiver.Save()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// save writes the world where it differs from what was written last. The file is always whole: the
// new one takes the old one's name once it is on the disk.
func (w *World) save() error {
	w.saving.Lock()
	defer w.saving.Unlock()
	raw, err := w.encode()
	if err != nil {
		return err
	}
	if bytes.Equal(raw, w.written) {
		return nil
	}
	f, err := os.CreateTemp(w.dir, savedFile+".*") // 0600
	if err != nil {
		return fmt.Errorf("sim: keep the world: %w", err)
	}
	_, err = f.Write(raw)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), w.path())
	}
	if err != nil {
		_ = os.Remove(f.Name()) // half a file does no harm beside the whole one
		return fmt.Errorf("sim: keep the world: %w", err)
	}
	w.written = raw
	return nil
}

// keep saves until ctx ends. Stop saves once more.
func (w *World) keep(ctx context.Context) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	var last string // so that a full disk is told of once
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := ""
		if err := w.save(); err != nil {
			if now = err.Error(); now != last {
				w.log.Error("the simulated world is not kept", "err", err)
			}
		}
		last = now
	}
}
