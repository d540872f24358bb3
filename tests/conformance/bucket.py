"""A server that speaks S3, on a free port of the loopback interface, until its input ends.

Prints its address, then for each line of input the names of all objects of the bucket as a JSON list.
"""

import json
import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"http://{host}:{port}"
client = boto3.client(
    "s3",
    endpoint_url=address,
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
)
client.create_bucket(Bucket=sys.argv[1])
print(address, flush=True)
for _ in sys.stdin:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=sys.argv[1])
    names = [found["Key"] for page in pages for found in page.get("Contents", [])]
    print(json.dumps(names), flush=True)
server.stop()
