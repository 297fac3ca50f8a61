#!/usr/bin/env node
/*
 * Starts Lading with the Node 26 that was installed beside it, whatever Node runs this file: it is written for
 * Node 12, so no newer syntax and no `node:` prefixes. On Node 26 or newer no second process is started.
 */
'use strict'

var childProcess = require('child_process')
var fs = require('fs')
var path = require('path')
var url = require('url')

var neededMajor = 26
var root = path.join(__dirname, '..')

/** A checkout has `src/`, the npm package only `dist/`. */
function findMain() {
  var source = path.join(root, 'src', 'main.ts')
  return fs.existsSync(source) ? source : path.join(root, 'dist', 'main.js')
}

/** The platform packages in package.json, from this folder upwards as module resolution does it. */
function findNode() {
  var platform = process.platform + '-' + process.arch
  var names = ['node-' + platform, 'node-bin-' + platform]
  for (var folder = root; ; folder = path.dirname(folder)) {
    for (var i = 0; i < names.length; i++) {
      var candidate = path.join(folder, 'node_modules', names[i], 'bin', 'node')
      if (fs.existsSync(candidate)) return candidate
    }
    if (folder === path.dirname(folder)) return undefined
  }
}

function runInChild(node, main) {
  var child
  var signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2']
  signals.forEach(function (signal) {
    process.on(signal, function () {
      child.kill(signal)
    })
  })
  child = childProcess.spawn(node, [main].concat(process.argv.slice(2)), { stdio: 'inherit' })
  child.on('error', function (error) {
    fail('cannot run ' + node + ': ' + error.message)
  })
  child.on('exit', function (code, signal) {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

function fail(message) {
  process.stderr.write('lading: ' + message + '\n')
  process.exit(1)
}

function start() {
  var main = findMain()
  if (parseInt(process.versions.node, 10) >= neededMajor) {
    process.argv[1] = main
    void import(url.pathToFileURL(main).href)
    return
  }
  var node = findNode()
  if (node !== undefined) runInChild(node, main)
  else {
    fail(
      'needs Node ' +
        neededMajor +
        ', this is ' +
        process.version +
        '. There is no build of Node ' +
        neededMajor +
        ' for ' +
        process.platform +
        '-' +
        process.arch +
        ' beside it: install without --omit=optional, or run it with a newer Node',
    )
  }
}

start()
