"""The object store in S3 keeps the contract, against a real server: Ceph, or moto without it."""

import itertools

import pytest

from jupyter_datalake.config import parse_s3_url
from jupyter_datalake.storage.s3 import S3ObjectStore
from jupyter_datalake.testing.object_store_suite import ObjectStoreSuite

_numbers = itertools.count()


class TestS3ObjectStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self, s3, s3_environment, tmp_path):
        self.client = s3.client
        self.bucket = "contract"
        self.client.create_bucket(Bucket=self.bucket)
        url = s3.url(self.bucket, f"lake {next(_numbers)}")
        made = S3ObjectStore(parse_s3_url(url), spool_folder=tmp_path)
        made.client.pause = lambda seconds: None  # nobody else writes: what is missing is missing
        yield made
        made.close()

    def peek(self, store, name):
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=store.location.prefix + name)
        except self.client.exceptions.NoSuchKey:
            return None
        return answer["Body"].read()

    def poke(self, store, name, data):
        self.client.put_object(Bucket=self.bucket, Key=store.location.prefix + name, Body=data)
