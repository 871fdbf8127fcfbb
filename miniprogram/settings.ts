// The only file that a city writes. The host must be a request 合法域名 of the mini-program.
export const BASE = 'https://pj.example.gov.cn'
