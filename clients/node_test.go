package clients_test

import (
	"bufio"
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

// talk starts a script of tools/npm that is spoken to line by line in JSON. The returned
// function says one thing and waits for the answer.
func talk(t *testing.T, script string) func(limit time.Duration, say, answer any) {
	t.Helper()
	needTools(t)
	cmd := exec.CommandContext(t.Context(), "node", script)
	cmd.Dir = tools
	cmd.WaitDelay = 2 * time.Second
	complained := &lines{}
	cmd.Stderr = complained
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan []byte, 16)
	go func() {
		defer close(said)
		s := bufio.NewScanner(out)
		s.Buffer(nil, 4<<20)
		for s.Scan() {
			said <- bytes.Clone(s.Bytes())
		}
	}()
	t.Cleanup(func() {
		in.Close() // the script ends with its input
		end := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		for range said {
		}
		_ = cmd.Wait()
		end.Stop()
	})
	return func(limit time.Duration, say, answer any) {
		t.Helper()
		line, err := json.Marshal(say)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write(append(line, '\n')); err != nil {
			t.Fatalf("node %s: %v\n%s", script, err, complained)
		}
		select {
		case b, ok := <-said:
			if !ok {
				t.Fatalf("node %s ended:\n%s", script, complained)
			}
			if err := json.Unmarshal(b, answer); err != nil {
				t.Fatalf("node %s printed no JSON: %v\n%s", script, err, b)
			}
		case <-time.After(limit):
			t.Fatalf("node %s did not answer within %v:\n%s", script, limit, complained)
		}
	}
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
