package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"inosyncd/config"
	"inosyncd/internal/secret"
)

// Bytes that the token of the web page has. 16 letters and digits from a random
// source are more than can be tried.
const (
	leastToken = 16
	mostToken  = 512
)

// tokenCredential is the name of a credential of systemd.
const tokenCredential = "inosync.token"

// tokenFile is where the token of the web page is, if there is one: the file
// beside the configuration that has .token in place of its extension or, before
// that, a credential (systemd.exec(5)).
func tokenFile(configFile string) string {
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); filepath.IsAbs(dir) {
		file := filepath.Join(dir, tokenCredential)
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			return file
		}
	}
	return strings.TrimSuffix(configFile, filepath.Ext(configFile)) + ".token"
}

// readToken is the token in file, "" where there is no such file. What is wrong
// with it is a fault like those of the configuration; it names the cure and tells
// nothing of what is in the file.
func readToken(file string) (string, error) {
	token, err := secret.Line(file, leastToken, mostToken)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err == nil && strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		err = errors.New("must hold letters, digits and signs of ASCII only, without blanks") // as a header can bear them
	}
	if err != nil {
		return "", config.Faults{{File: file, Msg: fmt.Sprintf("the token of the web page %s; openssl rand -hex 16 makes a good one, and mode 0600 keeps it from others", err)}}
	}
	return token, nil
}
