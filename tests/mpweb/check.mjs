// app.json, project.config.json and the files around them, as the platform wants them.
import fs from 'node:fs'
import path from 'node:path'

const APP_KEYS = ['pages', 'window', 'usingComponents', 'style', 'lazyCodeLoading', 'sitemapLocation', '__usePrivacyCheck__']
const WINDOW_KEYS = ['navigationBarTitleText', 'navigationBarBackgroundColor', 'navigationBarTextStyle', 'backgroundColor',
  'backgroundTextStyle', 'enablePullDownRefresh']
const PAGE_KEYS = [...WINDOW_KEYS, 'usingComponents', 'component', 'styleIsolation']
const WANTED = { style: 'v2', lazyCodeLoading: 'requiredComponents', __usePrivacyCheck__: true }
const WANTED_SETTINGS = { useCompilerPlugins: ['typescript'], es6: true, enhance: true, urlCheck: true }

export function checkApp(src, app) {
  const problems = []
  const unknown = (object, known, where) => Object.keys(object).filter((key) => !known.includes(key))
    .forEach((key) => problems.push(`${where}: unknown key ${key}`))
  unknown(app, APP_KEYS, 'app.json')
  unknown(app.window || {}, WINDOW_KEYS, 'app.json window')
  for (const [key, value] of Object.entries(WANTED)) {
    if (app[key] !== value) problems.push(`app.json: ${key} must be ${JSON.stringify(value)}`)
  }
  if (!['white', 'black'].includes(app.window.navigationBarTextStyle)) problems.push('app.json: navigationBarTextStyle')
  if (!fs.existsSync(path.join(src, app.sitemapLocation || ''))) problems.push('app.json: sitemapLocation')
  const project = JSON.parse(fs.readFileSync(path.join(src, 'project.config.json'), 'utf8'))
  for (const [key, value] of Object.entries(WANTED_SETTINGS)) {
    if (JSON.stringify(project.setting[key]) !== JSON.stringify(value)) problems.push(`project.config.json: ${key}`)
  }
  for (const file of files(src)) {
    const name = path.relative(src, file)
    if (/^(pages|components)\/.*\.json$/.test(name)) unknown(JSON.parse(fs.readFileSync(file, 'utf8')), PAGE_KEYS, name)
    if (!/\.(ts|wxml|wxss|json|svg)$/.test(name)) problems.push(`${name} does not belong into the package`)
  }
  return problems
}

export function packageSize(src) {
  return files(src).filter((file) => path.basename(file) !== 'project.config.json')
    .reduce((sum, file) => sum + fs.statSync(file).size, 0)
}

function files(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((each) =>
    each.isDirectory() ? files(path.join(folder, each.name)) : [path.join(folder, each.name)])
}
