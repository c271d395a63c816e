#!/usr/bin/env bash
# Copies the libraries from Maven's folder and compiles the program: no plugin but one is fetched.
set -euo pipefail
cd "$(dirname "$0")"
wanted=$(javac -version && cat pom.xml Main.java)
[ "$(cat dist/built 2>/dev/null)" != "$wanted" ] || exit 0
rm -rf dist
mvn --quiet --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies -DoutputDirectory=dist/lib
javac -d dist/classes -cp 'dist/lib/*' Main.java
echo "$wanted" >dist/built
