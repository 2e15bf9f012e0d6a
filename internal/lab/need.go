package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// packages are Debian's, by the program they bring, where the names differ.
var packages = map[string]string{
	"ssh":        "openssh-client",
	"ssh-keygen": "openssh-client",
	"sshd":       "openssh-server",
	"go":         "golang-go",
}

// Need reports the programs that are not installed, and how to get them.
func Need(programs ...string) error {
	var errs []error
	for _, program := range programs {
		_, err := find(program)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// find returns the path of a program. It looks where a user's PATH often does
// not: sshd is in /usr/sbin and wants to be called by its full path.
func find(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return filepath.Abs(path)
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		path := filepath.Join(dir, program)
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	pkg := packages[program]
	if pkg == "" {
		pkg = program
	}
	return "", fmt.Errorf("%s is not installed; on Debian: apt-get install %s", program, pkg)
}
