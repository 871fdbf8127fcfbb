// Builds the unmodified mini-program for a browser, and refuses what DevTools would refuse.
// node build.mjs --src ../../miniprogram --out DIR
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import esbuild from 'esbuild'
import { checkApp, packageSize } from './check.mjs'
import { styleSheets } from './wxss.mjs'
import { templates } from './wxml.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const argument = (name) => {
  const place = process.argv.indexOf(`--${name}`)
  return place > 0 ? path.resolve(process.argv[place + 1]) : ''
}
const SRC = argument('src')
const OUT = argument('out')
const ABSENT = 'window, document, fetch, localStorage, sessionStorage, location, navigator, XMLHttpRequest, WebSocket, '
  + 'FormData, URL, URLSearchParams, Blob, File, crypto, EventSource, alert, process, Buffer, TextEncoder, TextDecoder'

/** Every page and, behind its usingComponents, every component: path → json. Those that are used come first. */
function collect(app, problems) {
  const found = new Map()
  const visiting = new Set()
  const visit = (name, from) => {
    if (found.has(name) || visiting.has(name)) return
    visiting.add(name)
    const missing = ['.json', '.wxml', '.ts'].filter((kind) => !fs.existsSync(path.join(SRC, name + kind)))
    if (missing.length) return void problems.push(`${from}: ${name} has no ${missing.join(', ')}`)
    const json = JSON.parse(fs.readFileSync(path.join(SRC, `${name}.json`), 'utf8'))
    const using = {}
    for (const [tag, ref] of Object.entries({ ...app.usingComponents, ...json.usingComponents })) {
      const target = ref.startsWith('/') ? ref.slice(1) : path.posix.join(path.posix.dirname(name), ref)
      if (target === name) continue
      using[tag] = `/${target}`
      visit(target, `${name}.json`)
    }
    found.set(name, { ...json, usingComponents: using })
  }
  app.pages.forEach((page) => visit(page, 'app.json'))
  return found
}

function entry(given) {
  const file = (name) => JSON.stringify(path.join(SRC, `${name}.ts`))
  return [
    `import * as runtime from ${JSON.stringify(path.join(here, 'runtime.js'))}`,
    `runtime.setUp(${JSON.stringify(given.description)}, ${given.group.getTmplGenObjectGroups()})`,
    `runtime.runApp(() => require(${file('app')}))`,
    ...[...given.components.keys()].map((name) => `runtime.define(${JSON.stringify(name)}, () => require(${file(name)}))`),
    'runtime.start()',
  ].join('\n')
}

/** A mini-program has no browser globals: a slip fails in the browser too. */
const asOnThePhone = {
  name: 'as-on-the-phone',
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, ({ path: file }) =>
      ({ contents: `var ${ABSENT};${fs.readFileSync(file, 'utf8')}`, loader: 'ts' }))
  },
}

async function main() {
  const problems = []
  const app = JSON.parse(fs.readFileSync(path.join(SRC, 'app.json'), 'utf8'))
  problems.push(...checkApp(SRC, app))
  const components = collect(app, problems)
  const group = templates(SRC, components, problems)
  const { styles, scopes } = styleSheets(SRC, components, problems)
  const configs = Object.fromEntries(components)
  const description = { app, pages: app.pages, configs, styles, scopes }
  fs.mkdirSync(OUT, { recursive: true })
  await esbuild.build({
    stdin: { contents: entry({ description, group, components }), resolveDir: here, loader: 'js' },
    bundle: true, format: 'iife', outfile: path.join(OUT, 'mp.js'), target: 'es2019', logLevel: 'silent',
    plugins: [asOnThePhone],
  }).catch((error) => problems.push(...(error.errors || [error]).map(({ location, text, message }) =>
    location ? `${location.file}:${location.line}:${location.column} ${text}` : text || message)))
  fs.writeFileSync(path.join(OUT, 'index.html'), `<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">
<link rel="stylesheet" href="phone.css"><div id="nav"><button id="nav-back" aria-label="返回">‹</button><span id="nav-title"></span></div>
<div id="stage"></div><script src="mp.js"></script></html>`)
  fs.copyFileSync(path.join(here, 'phone.css'), path.join(OUT, 'phone.css'))
  if (fs.existsSync(path.join(SRC, 'assets'))) fs.cpSync(path.join(SRC, 'assets'), path.join(OUT, 'assets'), { recursive: true })
  const size = packageSize(SRC)
  console.log(`pages ${app.pages.length}, components ${components.size - app.pages.length}, package ${(size / 1024).toFixed(1)} KiB`)
  if (size >= 1024 * 1024) problems.push(`the package has ${size} bytes; 1 MiB is the limit`)
  if (problems.length) {
    console.error(problems.join('\n'))
    process.exit(1)
  }
}

await main()
