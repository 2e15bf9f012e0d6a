package lab

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// BuildInosyncd builds the daemon into dir and returns the program's path. It
// has to be called from inside the module. flags go to go build.
func BuildInosyncd(ctx context.Context, dir string, flags ...string) (string, error) {
	if err := Need("go"); err != nil {
		return "", err
	}
	program := filepath.Join(dir, "inosyncd")
	args := append([]string{"build", "-o", program}, flags...)
	out, err := exec.CommandContext(ctx, "go", append(args, "inosyncd/cmd/inosyncd")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building inosyncd: %w\n%s", err, out)
	}
	return program, nil
}
