// Command sim runs snapshot algorithms in the deterministic simulator, crashes
// them and checks them.
//
// Exit status: 0 fine, 1 error, 2 usage, 3 a panic in the code under test, 4 no
// progress, 5 a safety violation; 130 and 143 interrupted by SIGINT and SIGTERM.
package main

import "weir/scenario/command"

func main() { command.Main() }
