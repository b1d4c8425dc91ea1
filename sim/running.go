package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// configStart begins every Config, so that one is told from another program's answer.
const configStart = "# Works against the simulated world at "

// RunningConfig returns the Config of the world that listens on this loopback address, in whatever
// process. The error says that no world answers there within 3 s.
func RunningConfig(ctx context.Context, listen string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 3*time.Second, errors.New("no answer in time"))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listen+"/_config", nil)
	if err != nil {
		return "", fmt.Errorf("sim: ask the running world: %w", err)
	}
	client := loopbackClient()
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("sim: ask the running world: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxControl))
	if err != nil {
		return "", fmt.Errorf("sim: ask the running world: %w", err)
	}
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), configStart) {
		return "", fmt.Errorf("sim: what listens on %s is no simulated world", listen)
	}
	return string(body), nil
}
