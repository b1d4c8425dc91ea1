package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// tools is where make deps installs the programs.
const tools = "../tools/npm"

// needTools fails the test when the programs are not installed.
func needTools(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(tools, "node_modules", ".package-lock.json")); err != nil {
		t.Fatal("The outside programs are not installed in tools/npm: run make deps.")
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatal("Node is not on PATH: install Node 20 or later, then run make deps.")
	}
}

// chromium returns the browser's path.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("No Chromium is on PATH: run make deps.")
	return ""
}

// artifacts is a folder for pictures, kept out of git and emptied by nobody.
func artifacts(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "artifacts", "clients", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// ask runs a script of tools/npm with in as JSON on its standard input and decodes what
// it prints into out.
func ask(t *testing.T, limit time.Duration, script string, in, out any) {
	t.Helper()
	needTools(t)
	question, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Dir = tools
	cmd.Stdin = bytes.NewReader(question)
	var said, complained bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complained
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Run(); err != nil {
		t.Fatalf("node %s: %v (%v)\n%s", script, err, ctx.Err(), complained.Bytes())
	}
	if err := json.Unmarshal(said.Bytes(), out); err != nil {
		t.Fatalf("node %s printed no JSON: %v\n%s\n%s", script, err, said.Bytes(), complained.Bytes())
	}
}
